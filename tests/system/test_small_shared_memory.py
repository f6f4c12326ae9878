"""Several cameras in a container's 64 MB of shared memory: each gets what room there is."""

from __future__ import annotations

import json
import os
import shlex
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

    def __init__(self, runtime: Path, config: str) -> None:
        file = runtime / "cameras.toml"
        file.write_text(config)
        self._log = runtime / "log"
        up = [sys.executable, "-m", "framebus", "up", "--config", str(file)]
        script = f"mount -t tmpfs -o size=64m tmpfs /dev/shm && exec {shlex.join(up)}"
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

    def start_up(config: str) -> Up:
        started.append(Up(runtime, config))
        return started[-1]

    yield start_up
    for up in started:
        up.process.terminate()
        assert up.process.wait(30) == 0, up.log()


def test_rings_follow_the_room_and_say_so(start: Any) -> None:
    up = start("".join(f"[camera.{name}]\n{SMALL}" for name in ("a", "b", "c")))
    rings = [up.until_streaming(name)["ring"] for name in ("a", "b", "c")]
    assert sum(ring["size"] for ring in rings) <= 64 << 20
    assert min(ring["arena"] for ring in rings) >= 4 << 20
    smaller = [ring["note"] for ring in rings if ring["note"]]
    assert smaller
    assert all("/dev/shm has no room for 32 MiB" in note for note in smaller)
    assert smaller[0] in up.log()


def test_a_camera_whose_ring_does_not_fit_is_retried_and_the_others_are_served(start: Any) -> None:
    up = start(f"[camera.a]\n{SMALL}[camera.b]\n{SMALL}ring_size = '100M'\n")
    up.until_streaming("a")
    until(lambda: up.log().count("starting it again") > 1, within_s=40, what="a retry")
    assert "/dev/shm has no room for a ring of" in up.log()
    assert up.status("b") == {}
    assert up.until_streaming("a")["ring"]["note"] == ""


def test_a_single_camera_whose_size_does_not_fit_is_refused(runtime: Path) -> None:
    up = Up(runtime, f"[camera.a]\n{SMALL}ring_size = '100M'\n")
    assert up.process.wait(40) == os.EX_CANTCREAT
    assert "--ring-size" in up.log()
