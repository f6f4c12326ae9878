"""What is remembered of a device, whatever comes late."""

from __future__ import annotations

from typing import Any

import pytest

from capture_daemon.control.device import Described
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.refusal import Refusal


def test_a_description_of_an_earlier_session_is_old_news() -> None:
    device: Any = None
    session = 1
    pending = PendingControls(
        device=device, event=lambda name, document: None, session=lambda: session
    )
    pending.on_report(Described(1, True, [{"fourcc": "MJPG"}], []))
    assert pending.formats("test") == {"formats": [{"fourcc": "MJPG"}]}
    pending.forget()
    session = 2
    pending.on_report(Described(1, True, [], []))
    with pytest.raises(Refusal, match="has not said yet"):
        pending.formats("test")
