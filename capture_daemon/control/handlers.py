"""The control methods: what each takes, does and answers. Knows no socket and never blocks.

docs/control.md describes them for people; a test runs its examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framebus.contract.words import DEVICE_LEVEL, Rung
from framebus.control.protocol import (
    HELD,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    NOT_NOW,
    NOT_SUPPORTED,
)
from framebus.errors import CameraHeld, UsageError
from framebus.spelling import did_you_mean, nearest

from capture_daemon.control.configuring import CONFIGURABLE, ConfigureRequest
from capture_daemon.control.incident_log import IncidentLog
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.refusal import Answer, Refusal
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.fallback import Fallback
from capture_daemon.lifecycle.lease import LONGEST_S, Lease

Params = Mapping[str, object]
_NAME = re.compile(r"\w{1,64}")

QUERIES = ("status", "incidents")
"""The methods of the socket for those who may ask and not command: the web tier, say. They see less
of a source's text."""


@dataclass(frozen=True, slots=True)
class _Method:
    run: Callable[[Params, Answer], None]
    takes: tuple[str, ...] | None = ()
    """The parameters allowed; None where the names are the camera's."""


def _bare(run: Callable[[Answer], None]) -> _Method:
    """Return a method without parameters."""
    return _Method(lambda _, answer: run(answer))


class Handlers:
    """Main thread only. Every call ends in exactly one answer, now or within 100 ms."""

    def __init__(
        self,
        *,
        controller: CaptureController,
        fallback: Fallback,
        pending_controls: PendingControls,
        incident_log: IncidentLog,
        status: Callable[[int, bool], Mapping[str, object]],
        check: Callable[[ConfigureRequest], None],
        shutdown: Callable[[], None],
        renew: Callable[[], None] | None,
        clock: Callable[[], int],
    ) -> None:
        """Take what the methods act on; `check` raises for one that cannot be carried out.

        `status` returns the document, given the time and whether it is for an operator.
        `renew` is None where nobody would start a successor.
        """
        self._controller = controller
        self._fallback = fallback
        self._pending_controls = pending_controls
        self._incident_log = incident_log
        self._status = status
        self._check = check
        self._shutdown = shutdown
        self._renew = renew
        self._clock = clock
        self._methods = {
            "status": _bare(self._do_status),
            "start": _bare(self._do_start),
            "stop": _bare(self._do_stop),
            "restart": _bare(self._do_restart),
            "configure": _Method(self._do_configure, CONFIGURABLE),
            "formats": _bare(self._do_formats),
            "controls": _bare(self._do_controls),
            "set_controls": _Method(self._do_set_controls, None),
            "reset": _Method(self._do_reset, ("rung",)),
            "holders": _bare(self._do_holders),
            "incidents": _Method(incident_log.incidents, ("limit",)),
            "shutdown": _bare(self._do_shutdown),
            "lend": _Method(self._do_lend, ("seconds", "to")),
            "renew": _bare(self._do_renew),
        }
        self._queries = {
            "status": _bare(lambda answer: answer.result(self._status(self._clock(), False))),
            "incidents": self._methods["incidents"],
        }

    def call(self, name: str, params: Params, answer: Answer) -> None:
        """Carry out one call."""
        self._run(self._methods, name, params, answer)

    def _run(
        self, methods: Mapping[str, _Method], name: str, params: Params, answer: Answer
    ) -> None:
        try:
            method = methods.get(name)
            if method is None:
                hint = nearest(name, methods)
                raise Refusal(METHOD_NOT_FOUND, f"there is no method {name[:64]!r}{hint}")
            if method.takes is not None:
                _check_names(name, method.takes, params)
            method.run(params, answer)
        except Refusal as refusal:
            answer.refuse(refusal)

    def ask(self, name: str, params: Params, answer: Answer) -> None:
        """Carry out one call of somebody who may not command."""
        if name in QUERIES:
            self._run(self._queries, name, params, answer)
        else:
            hint = f"only {' and '.join(QUERIES)} are answered here: use the control socket"
            answer.refuse(Refusal(METHOD_NOT_FOUND, hint))

    def _do_status(self, answer: Answer) -> None:
        answer.result(self._status(self._clock(), True))

    def _do_start(self, answer: Answer) -> None:
        self._controller.start(self._clock())
        answer.result(self._state())

    def _do_stop(self, answer: Answer) -> None:
        self._controller.stop(self._clock())
        answer.result(self._state())

    def _do_restart(self, answer: Answer) -> None:
        restarted = self._controller.restart(self._clock())
        answer.result({**self._state(), "joined": not restarted})

    def _do_configure(self, params: Params, answer: Answer) -> None:
        if not params:
            allowed = ", ".join(CONFIGURABLE)
            raise Refusal(INVALID_PARAMS, f"configure what? It takes {allowed}")
        present = ConfigureRequest(self._controller.source.request, self._fallback.spec)
        wanted = present.changed(params)
        request = wanted.capture
        try:
            self._check(wanted)
        except CameraHeld as error:
            raise Refusal(HELD, str(error)) from error
        except UsageError as error:
            raise Refusal(INVALID_PARAMS, str(error)) from error
        if request.spec != present.capture.spec:
            self._pending_controls.forget()
        changed = self._controller.configure(request, self._clock())
        changed = self._fallback.configure(wanted.fallback, self._clock()) or changed
        requested = request.format
        answer.result(
            {
                **self._state(),
                "changed": changed,
                "source": request.spec.text,
                "fallback": wanted.fallback.text if wanted.fallback else None,
                "requested": {
                    "width": requested.width,
                    "height": requested.height,
                    "fps": requested.fps,
                },
            }
        )

    def _do_formats(self, answer: Answer) -> None:
        answer.result(self._pending_controls.formats(self._controller.source.request.spec.public))

    def _do_controls(self, answer: Answer) -> None:
        self._pending_controls.read(
            self._controller.source.request.spec.public, answer, self._clock()
        )

    def _do_set_controls(self, params: Params, answer: Answer) -> None:
        self._pending_controls.set(
            self._controller.source.request.spec.public, params, answer, self._clock()
        )

    def _do_reset(self, params: Params, answer: Answer) -> None:
        rung = _rung(params.get("rung"))
        objection = self._controller.reset(rung, self._clock())
        if objection is not None:
            remedy = f"; {objection.remedy}" if objection.remedy else ""
            raise Refusal(NOT_NOW, f"no {rung.value}: {objection.reason}{remedy}")
        answer.result({**self._state(), "rung": rung.value})

    def _do_holders(self, answer: Answer) -> None:
        if self._controller.source.kind not in ("v4l2", "auto"):
            what = self._controller.source.request.spec.public
            hint = f"{what} has no device that another program could hold"
            raise Refusal(NOT_SUPPORTED, hint)
        self._incident_log.holders(answer, self._clock())

    def _do_shutdown(self, answer: Answer) -> None:
        answer.result(self._state())
        self._shutdown()

    def _do_lend(self, params: Params, answer: Answer) -> None:
        seconds, to = params.get("seconds"), params.get("to", "another program")
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not 0 < float(str(seconds)) <= LONGEST_S:
            raise Refusal(INVALID_PARAMS, f"seconds is a number up to {LONGEST_S:g}")
        if not isinstance(to, str) or not 0 < len(to) <= 200:
            raise Refusal(INVALID_PARAMS, "to is a text that names who has the camera meanwhile")
        now_ns = self._clock()
        device = self._controller.device
        if not device:
            if self._controller.source.kind not in ("v4l2", "auto"):
                what = self._controller.source.request.spec.public
                raise Refusal(NOT_SUPPORTED, f"{what} has no device that could be lent")
            raise Refusal(NOT_NOW, "no camera is open now, so there is none to lend")
        self._controller.lend(Lease(device, to, now_ns + round(float(str(seconds)) * 1e9)), now_ns)
        answer.result({**self._state(), "device": device})

    def _do_renew(self, answer: Answer) -> None:
        if self._renew is None:
            raise Refusal(
                NOT_SUPPORTED,
                "this daemon runs alone, and nobody would start its successor: "
                "use `framebus up` or the systemd unit",
            )
        answer.result(self._state())
        self._renew()

    def _state(self) -> dict[str, object]:
        return {"state": self._controller.state.value}


def _check_names(method: str, takes: tuple[str, ...], params: Params) -> None:
    for name in params:
        if name not in takes:
            if not takes:
                raise Refusal(INVALID_PARAMS, f"{method} takes no parameters")
            # A source that is typed in the wrong place is not quoted.
            what = f"no parameter {name!r}" if _NAME.fullmatch(name) else "not this parameter"
            raise Refusal(INVALID_PARAMS, f"{method} has {what}{nearest(name[:64], takes)}")


def _rung(value: object) -> Rung:
    """Return the device-level rung of this name. Raises Refusal."""
    names = {rung.value: rung for rung in Rung if rung in DEVICE_LEVEL}
    if not isinstance(value, str) or value not in names:
        hint = did_you_mean(value, names) if isinstance(value, str) else ""
        raise Refusal(INVALID_PARAMS, f"reset takes a rung: one of {', '.join(names)}{hint}")
    return names[value]
