"""What is known of the device's formats and controls, and the control calls that wait for it.

Main thread only. A call is answered within `BOUND_S` whatever the device does: with what it said,
or with what is known and the truth about what is still pending. Knows no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from framebus.contract.words import EventName
from framebus.control.protocol import CAMERA_REFUSED, INVALID_PARAMS, NOT_NOW, NOT_SUPPORTED
from framebus.errors import UsageError
from framebus.spelling import nearest

from capture_daemon.capturing.reports import Mailbox
from capture_daemon.control.device import ControlsSet, Described, DeviceThread, Documents
from capture_daemon.control.refusal import Answer, Refusal, WaitingCall, earliest_ns
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.sources.base import SourceError

MOST_PENDING = 16
"""Calls that may wait for a device that does not answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Call(WaitingCall):
    """One call that the device thread works on."""

    names: list[str]
    """What it sets; empty for a mere reading."""


class PendingControls:
    """The device's side of the control methods."""

    def __init__(
        self,
        *,
        device: DeviceThread,
        event: Callable[[EventName, Mapping[str, object]], None],
        mailbox: Mailbox,
        controller: CaptureController,
    ) -> None:
        """Take where to ask and to tell; `controller` knows which source it is now."""
        self._device = device
        self._event = event
        self._mailbox = mailbox
        self._controller = controller
        self._known: Described | None = None
        self._calls: list[_Call] = []

    def formats(self) -> Mapping[str, object]:
        """Return what the camera offers, from memory. Raises Refusal."""
        formats = self._described().formats
        if formats is None:
            raise self._refusal(NOT_NOW, "would not say when it was opened: `restart` asks again")
        return {"formats": formats}

    def read(self, answer: Answer, now_ns: int) -> None:
        """Answer with the controls. Raises Refusal."""
        self._described()
        for call in self._calls:
            if not call.names:  # a reading is under way: join it
                call.join(answer, now_ns)
                return
        call = self._begin([], answer, now_ns)
        self._device.read_controls(self._mailbox.slot(partial(self._on_read, call)))

    def set(self, values: Mapping[str, object], answer: Answer, now_ns: int) -> None:
        """Set controls and answer with what became of them. Raises Refusal."""
        known = self._described().controls
        _check(known or [], values)
        call = self._begin(list(values), answer, now_ns)
        self._device.set_controls(values, self._mailbox.slot(partial(self._on_set, call)))

    def forget(self) -> None:
        """The source is another one from now on."""
        self._known = None

    def on_described(self, described: Described) -> None:
        """Remember what a source offers; that of an earlier session is old news."""
        if described.session == self._controller.sessions.number:
            self._known = described

    def tick(self, now_ns: int) -> None:
        """Answer those who have waited long enough."""
        for call in self._calls:
            for answer in call.overdue(now_ns):
                if call.names:
                    answer.result({"applied": {}, "pending": call.names})
                else:
                    answer.result(self._reading(fresh=False))

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nobody waits."""
        return earliest_ns(self._calls)

    def _described(self) -> Described:
        if self._known is None:
            hint = "it must be open for that; `status` tells what it does now"
            raise self._refusal(NOT_NOW, f"has not said yet what it offers: {hint}")
        if not self._known.adjustable:
            hint = "only a v4l2 camera has"
            raise self._refusal(NOT_SUPPORTED, f"has no formats or controls: {hint}")
        return self._known

    def _refusal(self, code: int, why: str) -> Refusal:
        return Refusal(code, f"{self._controller.source.request.spec.public} {why}")

    def _begin(self, names: list[str], answer: Answer, now_ns: int) -> _Call:
        if len(self._calls) >= MOST_PENDING:
            raise Refusal(
                NOT_NOW,
                f"{len(self._calls)} earlier calls still wait for the camera: try again later",
            )
        call = _Call(names=names)
        call.join(answer, now_ns)
        self._calls.append(call)
        return call

    def _on_read(self, call: _Call, controls: Documents | None) -> None:
        self._end(call, controls)
        for answer in call.answers:
            answer.result(self._reading(fresh=controls is not None))

    def _end(self, call: _Call, controls: Documents | None) -> None:
        self._calls.remove(call)
        if controls is not None and self._known is not None:
            self._known = replace(self._known, controls=controls)

    def _reading(self, *, fresh: bool) -> Mapping[str, object]:
        controls = (self._known.controls if self._known else None) or []
        pending = sorted({name for call in self._calls for name in call.names})
        return {"controls": controls, "fresh": fresh, "pending": pending}

    def _on_set(self, call: _Call, outcome: ControlsSet) -> None:
        self._end(call, outcome.controls)
        error, applied = outcome.error, dict(outcome.applied)
        told = None if error is None else str(error)
        self._event("controls", {"applied": applied, "error": told})
        for answer in call.answers:
            if error is None:
                answer.result({"applied": applied, "pending": []})
            elif isinstance(error, UsageError):
                answer.refuse(Refusal(INVALID_PARAMS, str(error)))
            elif isinstance(error, SourceError):
                remedy = f": {error.remedy}" if error.remedy else ""
                answer.refuse(Refusal(CAMERA_REFUSED, f"{error.message}{remedy}"))
            else:
                answer.refuse(Refusal(CAMERA_REFUSED, f"{type(error).__name__}: {error}"))


def _check(known: Documents, values: Mapping[str, object]) -> None:
    """Refuse what is wrong for certain, by what is known; the source checks again, and more."""
    if not known:
        return
    by_name = {str(control["name"]): control for control in known}
    by_id = {str(control["id"]): control for control in known}
    for name, value in values.items():
        control = by_name.get(name) or by_id.get(name)
        if control is None:
            hint = nearest(name[:64], by_name)
            raise Refusal(INVALID_PARAMS, f"the camera has no control {name[:64]!r}{hint}")
        lowest, highest = control.get("min"), control.get("max")
        if (
            control.get("type") == "integer"
            and isinstance(value, int)
            and isinstance(lowest, int)
            and isinstance(highest, int)
            and not lowest <= value <= highest
        ):
            raise Refusal(INVALID_PARAMS, f"{name} takes {lowest} to {highest}, not {value}")
