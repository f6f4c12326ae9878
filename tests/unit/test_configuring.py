"""What `configure` makes of its parameters: another request, or a refusal that changes nothing."""

from __future__ import annotations

import pytest
from framebus.errors import UsageError

from capture_daemon.control.configuring import ConfigureRequest, parsed
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Request

PRESENT = ConfigureRequest(
    CaptureRequest(spec.parse("http://h/s"), Request(640, 480, 30.0)), spec.parse("test")
)


def test_what_is_left_out_stays() -> None:
    changed = PRESENT.changed({"fps": 5})
    assert changed.capture == CaptureRequest(PRESENT.capture.spec, Request(640, 480, 5.0))
    assert changed.fallback == PRESENT.fallback


def test_null_leaves_size_and_rate_to_the_source_and_does_without_a_fallback() -> None:
    changed = PRESENT.changed({"size": None, "fps": None, "fallback": None})
    assert changed == ConfigureRequest(CaptureRequest(PRESENT.capture.spec), None)
    assert PRESENT.changed(parsed({"fallback": "none"})).fallback is None


def test_source_and_fallback_may_change_places() -> None:
    changed = PRESENT.changed(parsed({"source": "test", "fallback": "http://h/s"}))
    assert (changed.capture.spec.text, changed.fallback) == ("test", spec.parse("http://h/s"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fallback": "auto"}, "say which camera"),
        ({"fallback": "telepathy"}, "unknown source"),
        ({"fallback": "http://h/s"}, "its own fallback"),
        ({"source": "test"}, "its own fallback"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_right(
    params: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        PRESENT.changed(parsed(params))
