"""The camera goes on while its daemon dies: no picture is lost, with the keeper of `framebus up`.

FRAMEBUS_GUEST_KILLS says how often the daemon is killed; each takes 20 s.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from framebus.control.client import ControlClient
from framebus.errors import FramebusError
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.reader import FrameReader

from tests.guest.camera.client import Bench, PluggedCamera, wait_for
from tests.guest.camera.pictures import read_stamp
from tests.guest.inside.conftest import Plug

KERNELS = ("stable", "newer")
KILLS = int(os.environ.get("FRAMEBUS_GUEST_KILLS", "1"))
_TREE = Path(__file__).parents[3]
_LIMIT_S = 60.0


class KeptDaemon:
    """A daemon under a keeper, and a reader of every frame."""

    def __init__(self, runtime: Path, camera: PluggedCamera, stack: ExitStack) -> None:
        environ = {
            **os.environ,
            "FRAMEBUS_RUNTIME_DIR": str(runtime),
            "PYTHONPATH": f"{_TREE}:{_TREE / 'shared'}",
        }
        command = [sys.executable, "-m", "tests.guest.inside.kept_daemon"]
        self.node = camera.wait_node()
        self.log = stack.enter_context((runtime / "log").open("w+b"))
        self.process = subprocess.Popen(
            [*command, "--source", f"v4l2:{self.node}", "--ring-size", "8M"],
            env=environ,
            stderr=self.log,
        )
        stack.callback(self._end)
        self.names = CameraNames(runtime)
        self.reader = stack.enter_context(FrameReader(runtime=runtime, every=True))

    def call(self, method: str) -> dict[str, object]:
        """One control call, as soon as a daemon answers."""

        def answer() -> dict[str, object]:
            with ControlClient(self.names, timeout_s=10.0) as client:
                try:
                    result = client.call(method)
                except FramebusError:
                    return {}
            assert isinstance(result, dict)
            return result

        return wait_for(answer, f"an answer to {method}", _LIMIT_S)

    def frames(self, count: int) -> list[Frame]:
        """The next frames."""
        return [self.reader.next(_LIMIT_S) for _ in range(count)]

    def kill(self) -> None:
        """SIGKILL the daemon."""
        os.kill(int(str(self.call("status")["pid"])), signal.SIGKILL)

    def said(self, text: str) -> int:
        """How often the log has `text`."""
        return Path(self.log.name).read_text(errors="replace").count(text)

    def _end(self) -> None:
        self.process.terminate()
        assert self.process.wait(_LIMIT_S) == 0, Path(self.log.name).read_text()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


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


@pytest.mark.timeout(90 + 30 * KILLS)
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


def test_a_camera_that_was_unplugged_while_no_daemon_lived_is_opened_afresh(
    bench: Bench, runtime: Path, plug: Plug, stack: ExitStack
) -> None:
    camera = plug("slow", serial="KEPT")
    daemon = KeptDaemon(runtime, camera, stack)
    daemon.frames(2)
    pid = int(str(daemon.call("status")["pid"]))
    os.kill(pid, signal.SIGSTOP)
    camera.unplug()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: daemon.call("status").get("state") == "backoff", "it to notice", _LIMIT_S)
    assert daemon.said("is opened afresh") == 1
    bench.plug(camera.name, "slow", serial="KEPT")
    daemon.frames(2)
