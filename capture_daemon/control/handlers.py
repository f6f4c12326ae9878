"""What the control methods do and answer. Knows no socket and never blocks.

What each takes stands in framebus.contract.methods: handlers get what has been checked by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from framebus.clocks import utc_offset_ns
from framebus.contract.methods import METHODS, QUERIES
from framebus.contract.words import Rung
from framebus.control.protocol import METHOD_NOT_FOUND, NOT_NOW, NOT_SUPPORTED
from framebus.spelling import nearest

from capture_daemon.control import lending
from capture_daemon.control.configuring import ConfigureRequest, parsed
from capture_daemon.control.incident_log import IncidentLog
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.refusal import Answer, Refusal
from capture_daemon.control.request_checks import RequestChecks
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.fallback import Fallback

Params = Mapping[str, object]


@dataclass(eq=False, kw_only=True)
class Handlers:
    """Main thread only. Every call ends in exactly one answer, now or within 100 ms."""

    controller: CaptureController
    fallback: Fallback
    pending_controls: PendingControls
    incident_log: IncidentLog
    status: Callable[[int, bool], Mapping[str, object]]
    """Return the document, given the time and whether it is for an operator."""
    checks: RequestChecks
    check: Callable[[ConfigureRequest, ConfigureRequest], None]
    """Raise for a request that cannot be carried out instead of the present one; in any thread."""
    shutdown: Callable[[], None]
    renew: Callable[[], None] | None
    """None where nobody would start a successor."""
    clock: Callable[[], int]

    def __post_init__(self) -> None:
        self.commands: Mapping[str, Callable[..., None]] = {
            "status": partial(self._do_status, operator=True),
            "start": self._do_start,
            "stop": self._do_stop,
            "restart": self._do_restart,
            "configure": self._do_configure,
            "formats": self._do_formats,
            "controls": self._do_controls,
            "set_controls": self._do_set_controls,
            "reset": self._do_reset,
            "holders": self._do_holders,
            "incidents": self.incident_log.incidents,
            "lend": self._do_lend,
            "give_back": self._do_give_back,
            "wake": self._do_wake,
            "renew": self._do_renew,
            "shutdown": self._do_shutdown,
        }
        self.queries: Mapping[str, Callable[..., None]] = {
            "status": partial(self._do_status, operator=False),
            "incidents": self.incident_log.incidents,
            "wake": self._do_wake,
        }

    def call(self, name: str, params: Params, answer: Answer) -> None:
        """Carry out one call of somebody who may command. Raises Refusal, UsageError."""
        if name not in METHODS:
            hint = nearest(name, METHODS)
            raise Refusal(METHOD_NOT_FOUND, f"there is no method {name[:64]!r}{hint}")
        self.commands[name](answer, **METHODS[name].checked(params))

    def ask(self, name: str, params: Params, answer: Answer) -> None:
        """Carry out one call of somebody who may not command. Raises Refusal, UsageError."""
        if name not in QUERIES:
            hint = f"only {', '.join(QUERIES)} are answered here: use the control socket"
            raise Refusal(METHOD_NOT_FOUND, hint)
        self.queries[name](answer, **METHODS[name].checked(params))

    def _do_status(self, answer: Answer, *, operator: bool) -> None:
        answer.result(self.status(self.clock(), operator))

    def _do_start(self, answer: Answer) -> None:
        self.controller.start(self.clock())
        answer.result(self._state())

    def _do_stop(self, answer: Answer) -> None:
        self.controller.stop(self.clock())
        answer.result(self._state())

    def _do_restart(self, answer: Answer) -> None:
        restarted = self.controller.restart(self.clock())
        answer.result({**self._state(), "joined": not restarted})

    def _do_configure(self, answer: Answer, **changes: Any) -> None:
        if not changes.keys() & {"source", "fallback"}:
            self._configure(changes, answer)
            return
        present = self._present()

        def look() -> dict[str, Any]:
            found = parsed(changes)
            self.check(present.changed(found), present)
            return found

        self.checks.ask(changes, look, self._configure, answer, self.clock())

    def _present(self) -> ConfigureRequest:
        return ConfigureRequest(self.controller.source.request, self.fallback.spec)

    def _configure(self, changes: Params, answer: Answer) -> None:
        present = self._present()
        wanted = present.changed(changes)
        request = wanted.capture
        if request.spec != present.capture.spec:
            self.pending_controls.forget()
        changed = self.controller.configure(request, self.clock())
        changed = self.fallback.configure(wanted.fallback, self.clock()) or changed
        answer.result(
            {
                **self._state(),
                "changed": changed,
                "source": request.spec.text,
                "fallback": wanted.fallback.text if wanted.fallback else None,
                "requested": request.format.document(),
            }
        )

    def _do_formats(self, answer: Answer) -> None:
        answer.result(self.pending_controls.formats())

    def _do_controls(self, answer: Answer) -> None:
        self.pending_controls.read(answer, self.clock())

    def _do_set_controls(self, answer: Answer, /, **values: object) -> None:
        self.pending_controls.set(values, answer, self.clock())

    def _do_reset(self, answer: Answer, *, rung: Rung) -> None:
        objection = self.controller.reset(rung, self.clock())
        if objection is not None:
            remedy = f"; {objection.remedy}" if objection.remedy else ""
            raise Refusal(NOT_NOW, f"no {rung.value}: {objection.reason}{remedy}")
        answer.result({**self._state(), "rung": rung.value})

    def _do_holders(self, answer: Answer) -> None:
        if not self.controller.source.on_device:
            what = self.controller.source.request.spec.public
            hint = f"{what} has no device that another program could hold"
            raise Refusal(NOT_SUPPORTED, hint)
        self.incident_log.holders(answer, self.clock())

    def _do_shutdown(self, answer: Answer) -> None:
        answer.result(self._state())
        self.shutdown()

    def _do_lend(self, answer: Answer, **params: Any) -> None:
        lent = lending.lend(self.controller, now_ns=self.clock(), **params)
        answer.result({**self._state(), **lent})

    def _do_give_back(self, answer: Answer, *, lease: str) -> None:
        given_back = self.controller.give_back(lease, self.clock())
        answer.result({**self._state(), "given_back": given_back})

    def _do_wake(self, answer: Answer, *, seconds: float, lease: str) -> None:
        now_ns = self.clock()
        until_ns = now_ns + round(seconds * 1e9)
        self.controller.demand.ask((answer.user, lease), until_ns, now_ns)
        self.controller.wake(now_ns)
        answer.result({**self._state(), "until_utc_ns": until_ns + utc_offset_ns()})

    def _do_renew(self, answer: Answer) -> None:
        if self.renew is None:
            raise Refusal(
                NOT_SUPPORTED,
                "this daemon runs alone, and nobody would start its successor: "
                "use `framebus up` or the systemd unit",
            )
        if lease := self.controller.lease:
            told = lending.told(lease, self.clock())
            raise Refusal(NOT_NOW, f"{told}, and a successor would take it: `start` first")
        answer.result(self._state())
        self.renew()

    def _state(self) -> dict[str, object]:
        return {"state": self.controller.state.value}
