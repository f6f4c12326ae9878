"""Boot, plug, thirty frames through the daemon and out of a web worker's stream, exit."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.guest.cache import KERNELS
from tests.guest.conftest import leave_out, why_not
from tests.guest.machine import TREE, Ending, booted
from tests.guest.prepare import prepare

FRAMES = 30
_PART = re.compile(rb"\r\nContent-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", re.IGNORECASE)
_STAMP = re.compile(rb"framebus:(\d+):")


def _pictures(stream: bytes) -> list[bytes]:
    """Return the whole pictures of a multipart stream."""
    found = ((head.end(), int(head[1])) for head in _PART.finditer(stream))
    return [stream[at : at + size] for at, size in found if at + size <= len(stream)]


@pytest.mark.guest
@pytest.mark.timeout(300)
def test_thirty_frames_go_from_the_camera_to_a_viewer() -> None:
    if reason := why_not():
        leave_out(reason)
    kernel = prepare(KERNELS["stable"])
    command = ["sh", str(Path(__file__).with_name("end_to_end")), sys.executable, str(FRAMES)]
    environment = {"PYTHONPATH": f"{TREE}:{TREE / 'shared'}"}
    with booted(kernel, command, limit_s=200, environment=environment, folder=TREE) as guest:
        for _ in guest.output():
            continue
        outcome = guest.outcome()
        log = (guest.job / "log").read_text() if (guest.job / "log").exists() else ""
        assert outcome.ending is Ending.EXITED, f"{outcome.explain()}\n{log}"
        assert outcome.status == 0, log
        pictures = _pictures((guest.job / "stream").read_bytes())
    # The camera's own pictures have a stamp; a placeholder, from before it was there, has none.
    stamps = [(int(stamp[1]), one) for one in pictures if (stamp := _STAMP.search(one[-128:]))]
    assert len(stamps) >= FRAMES
    counters = [counter for counter, _ in stamps]
    assert counters == sorted(set(counters))
    assert all(one.startswith(b"\xff\xd8") and one.endswith(b"\xff\xd9") for _, one in stamps)
