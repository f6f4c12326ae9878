"""The camera goes on while its daemon dies: no picture is lost, with the keeper of `framebus up`.

FRAMEBUS_GUEST_KILLS says how often the daemon is killed; each takes 30 s.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from framebus.frame import Frame

from tests.guest.camera.client import wait_for
from tests.guest.camera.pictures import read_stamp
from tests.guest.inside.conftest import Plug
from tests.guest.inside.kept_daemon import KeptDaemon

KERNELS = ("stable", "newer")
KILLS = int(os.environ.get("FRAMEBUS_GUEST_KILLS", "1"))


@pytest.fixture
def daemon(runtime: Path, plug: Plug, stack: ExitStack) -> KeptDaemon:
    return KeptDaemon(runtime, plug("slow"), stack)


def pictures(frames: list[Frame]) -> list[int]:
    """The numbers that the camera itself wrote into its pictures."""
    return [read_stamp(frame.jpeg).counter for frame in frames]


def goes_on_without_a_gap(daemon: KeptDaemon, interrupt: Callable[[], None]) -> None:
    frames = daemon.frames(3)
    before = daemon.reader.epochs
    interrupt()
    while daemon.reader.epochs == before:
        frames += daemon.frames(1)
    frames += daemon.frames(3)
    numbers = pictures(frames)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    sequences = [frame.sequence for frame in frames]
    assert sequences == list(range(sequences[0], sequences[0] + len(frames)))
    device = [frame.device_sequence for frame in frames]
    assert device == list(range(device[0], device[0] + len(frames)))
    times = [frame.captured_ns for frame in frames]
    assert times == sorted(times)


@pytest.mark.timeout(150 + 60 * KILLS)
def test_a_killed_and_a_renewed_daemon_lose_no_frame_and_a_stopped_one_keeps_nothing(
    daemon: KeptDaemon,
) -> None:
    for _ in range(KILLS):
        goes_on_without_a_gap(daemon, daemon.kill)
    goes_on_without_a_gap(daemon, lambda: (daemon.call("renew"), None)[1])
    assert daemon.said("which was handed over") == KILLS + 1
    assert (daemon.reader.lapped, daemon.reader.skipped) == (0, 0)
    daemon.call("stop")
    wait_for(lambda: not holders(daemon.node), f"{daemon.node} to be let go of")
    daemon.call("start")
    daemon.frames(2)


def holders(node: Path) -> list[str]:
    """The descriptors of the device, of any process."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == str(node):
                found.append(str(link))
    return found
