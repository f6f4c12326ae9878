"""Any well-formed call, with whatever parameters: exactly one answer, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from framebus.contract.methods import METHODS
from framebus.contract.words import Rung
from framebus.control.protocol import Reply
from framebus.errors import UsageError
from hypothesis import given, settings
from hypothesis import strategies as st

from capture_daemon.capturing.reports import Mailbox
from capture_daemon.control.device import ControlsSet, Described, DeviceThread, Documents
from capture_daemon.control.diagnostics_thread import DiagnosticsThread
from capture_daemon.control.handlers import Handlers
from capture_daemon.control.incident_log import IncidentLog
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.refusal import Refusal, refusal_of
from capture_daemon.control.request_checks import RequestChecks
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from tests.rigs.controllers import Notes, fallback_of

S = 1_000_000_000
PARAMETERS = sorted({each.name for method in METHODS.values() for each in method.takes})
NAMES = [*PARAMETERS, "brightness", "self", "answer", "1", ""]
TEXTS = [*Rung, "test", "auto", "v4l2:/dev/video0", "file:/", "http://u:p@h/", "ffmpeg:-i '", "1x1"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(TEXTS)
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS)
CALLS = st.tuples(
    st.sampled_from([*METHODS]) | st.text(max_size=80),
    st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=80), VALUES, max_size=3),
)


class Device(DeviceThread):
    """Takes notes, and answers nothing."""

    def __init__(self) -> None:
        """Nothing to tell."""

    def read_controls(self, post: Callable[[Documents | None], None]) -> None:
        """Never answered."""

    def set_controls(
        self, values: Mapping[str, object], post: Callable[[ControlsSet], None]
    ) -> None:
        """Never answered."""


class Diagnostics(DiagnosticsThread):
    """Takes no notes, and answers nothing."""

    def __init__(self) -> None:
        """Nothing to ask."""

    def evidence(self, incident: str, since_utc_ns: int, *, holders: bool) -> None:
        """Never answered."""

    def look_for_holders(self) -> bool:
        """Never answered."""
        return True

    def write(self, document: Mapping[str, object]) -> None:
        """Never written."""


class OneAnswer:
    """Counts, and makes sure that the answer can be sent."""

    user = 0

    def __init__(self) -> None:
        self.count = 0

    def result(self, result: Mapping[str, object]) -> None:
        self.count += 1
        json.loads(Reply(1, result=result).encode())

    def refuse(self, refusal: Refusal) -> None:
        self.count += 1
        assert refusal.message
        json.loads(Reply(1, code=refusal.code, message=refusal.message).encode())


@settings(max_examples=150, deadline=None)
@given(
    calls=st.lists(CALLS, max_size=4),
    described=st.booleans(),
    source=st.sampled_from(["test", "auto"]),
)
def test_every_call_gets_exactly_one_answer(
    calls: list[tuple[str, dict[str, object]]], described: bool, source: str
) -> None:
    controller = CaptureController(
        capture=Notes(), request=CaptureRequest(spec.parse(source)), jitter=lambda: 0.0, now_ns=0
    )
    mailbox = Mailbox()
    pending_controls = PendingControls(
        device=Device(), event=lambda name, document: None, mailbox=mailbox, controller=controller
    )
    if described:
        brightness = {"id": 1, "name": "brightness", "type": "integer", "min": 0, "max": 9}
        pending_controls.on_described(Described(0, True, [], [brightness]))
    incident_log = IncidentLog(
        diagnostics=Diagnostics(),
        journal=Path("journal"),
        event=lambda name, document: None,
        pid=1,
    )
    checks = RequestChecks(mailbox=mailbox, spawn=lambda look: look())
    handlers = Handlers(
        controller=controller,
        fallback=fallback_of(controller),
        pending_controls=pending_controls,
        incident_log=incident_log,
        status=lambda now_ns, operator: {"state": controller.state.value},
        checks=checks,
        check=lambda _wanted, _present: None,
        shutdown=lambda: None,
        renew=None,
        clock=lambda: 100 * S,
    )
    answers = [OneAnswer() for _ in calls]
    for (method, params), answer in zip(calls, answers, strict=True):
        try:
            handlers.call(method, params, answer)
        except (Refusal, UsageError) as error:
            answer.refuse(refusal_of(error, method))
        mailbox.deliver()
    pending_controls.tick(101 * S)
    incident_log.tick(101 * S)
    mailbox.close()
    assert [answer.count for answer in answers] == [1] * len(calls)
