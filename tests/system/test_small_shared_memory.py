"""Several cameras in a container's 64 MB of shared memory: each gets what room there is."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.waiting import until

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root for a mount of its own"),
]
SMALL = 'source = "test"\nsize = "160x120"\nfps = 5\n'


class Up:
    """`framebus up` with a small /dev/shm of its own."""

    def __init__(self, runtime: Path, config: str, *, shm: str = "64m", others: str = "0") -> None:
        file = runtime / "cameras.toml"
        file.write_text(config)
        self._log = runtime / "log"
        up = [sys.executable, "-m", "framebus", "up", "--config", str(file)]
        script = (
            f"mount -t tmpfs -o size={shm} tmpfs /dev/shm && "
            f"head -c {others} /dev/zero > /dev/shm/others && exec {shlex.join(up)}"
        )
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", script],
                env={**os.environ, "FRAMEBUS_BIND": f"unix:{runtime}/web"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        return self._log.read_text()

    def status(self, camera: str) -> dict[str, Any]:
        """What a camera's daemon says; {} while there is none."""
        done = subprocess.run(
            [sys.executable, "-m", "framebus", "ctl", "status", "--json", "--name", camera],
            capture_output=True,
        )
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def until_streaming(self, camera: str) -> dict[str, Any]:
        def streams() -> dict[str, Any]:
            assert self.process.poll() is None, self.log()
            told = self.status(camera)
            return told if told.get("state") == "streaming" else {}

        return until(streams, within_s=40, what=f"frames of {camera}")


@pytest.fixture
def start(runtime: Path) -> Iterator[Any]:
    started: list[Up] = []

    def start_up(config: str, **more: str) -> Up:
        started.append(Up(runtime, config, **more))
        return started[-1]

    yield start_up
    for up in started:
        up.process.terminate()
        assert up.process.wait(30) == 0, up.log()


def tables(*names: str) -> str:
    return "".join(f"[camera.{name}]\n{SMALL}" for name in names)


def test_rings_share_the_room_alike_and_say_so(start: Any) -> None:
    up = start(tables("a", "b", "c"))
    rings = [up.until_streaming(name)["ring"] for name in ("a", "b", "c")]
    assert {ring["arena"] for ring in rings} == {10 << 20}  # and each one's successor's
    for ring in rings:
        assert "/dev/shm has 64 MiB for rings, for 3 cameras" in ring["note"]
        assert ring["note"] in up.log()


def test_a_killed_daemon_s_ring_and_its_successor_s_have_room_side_by_side(start: Any) -> None:
    """And are alike, so that frames are carried over."""
    up = start(tables("a"))
    before = up.until_streaming("a")
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: up.status("a").get("pid", before["pid"]) != before["pid"], within_s=40)
    after = up.until_streaming("a")
    assert after["ring"]["arena"] == before["ring"]["arena"] == 31 << 20


@pytest.mark.parametrize(("shm", "others"), [("8m", "0"), ("64m", "57M")])
def test_two_cameras_are_served_where_there_are_8_mb(start: Any, shm: str, others: str) -> None:
    up = start(tables("a", "b"), shm=shm, others=others)
    for name in ("a", "b"):
        ring = up.until_streaming(name)["ring"]
        assert 256 << 10 <= ring["arena"] <= 4 << 20


def test_a_camera_whose_ring_does_not_fit_is_retried_and_the_others_are_served(start: Any) -> None:
    up = start(f"[camera.a]\n{SMALL}[camera.b]\n{SMALL}ring_size = '100M'\n")
    up.until_streaming("a")
    until(lambda: up.log().count("starting it again") > 1, within_s=40, what="a retry")
    assert "/dev/shm has no room for a ring of" in up.log()
    assert up.status("b") == {}
    assert up.until_streaming("a")["ring"]["arena"] == 15 << 20


def test_a_single_camera_whose_size_does_not_fit_is_refused(runtime: Path) -> None:
    up = Up(runtime, f"[camera.a]\n{SMALL}ring_size = '100M'\n")
    assert up.process.wait(40) == os.EX_CANTCREAT
    assert "--ring-size" in up.log()
