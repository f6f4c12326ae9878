"""What is remembered of a device, whatever comes late."""

from __future__ import annotations

from typing import Any

import pytest

from capture_daemon.control.device import Described
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.refusal import Refusal
from capture_daemon.lifecycle.controller import CaptureController
from tests.rigs.controllers import TEST, Notes, S


def test_a_description_of_an_earlier_session_is_old_news() -> None:
    unused: Any = None
    controller = CaptureController(capture=Notes(), request=TEST, jitter=lambda: 0.0, now_ns=0)
    pending = PendingControls(
        device=unused, mailbox=unused, event=lambda name, document: None, controller=controller
    )
    controller.start(S)
    session = controller.sessions.number
    pending.on_described(Described(session, True, [{"fourcc": "MJPG"}], []))
    assert pending.formats() == {"formats": [{"fourcc": "MJPG"}]}
    pending.forget()
    controller.stop(2 * S)
    pending.on_described(Described(session, True, [], []))
    with pytest.raises(Refusal, match="test has not said yet"):
        pending.formats()
