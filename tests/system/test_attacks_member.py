"""What a member of the reading group can do to a daemon: nothing that others would notice."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from framebus.listener import Listener

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.system.hostile_member import ATTACKS, SOCKETS

MEMBER, GROUP = 61021, 61022
SECONDS = 2.0
GROWS_KB = 16 << 10

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user"),
]


@pytest.fixture(scope="module", autouse=True)
def many_descriptors() -> Iterator[None]:
    """The attacker's, as many as it may have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def memory_kb(pid: int, what: str) -> int:
    """What the kernel says of a process' memory: VmRSS, or VmHWM for the most that it was."""
    match = re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1])


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_member_of_the_reading_group_costs_little_memory_no_frame_and_nobody_an_answer(
    runtime: Path, attack: str
) -> None:
    os.chown(runtime, 0, GROUP)
    runtime.chmod(0o750)
    options = ("--source", "test", "--size", "160x120", "--fps", "5", "--ring-size", "4M")
    with DaemonProcess(runtime, *options) as daemon:
        daemon.until_state("streaming")
        for name in SOCKETS:
            os.chown(runtime / name, 0, GROUP)  # as the daemon's own group would be

        def attacked() -> int:
            """The frames that were missed meanwhile."""
            before = daemon.status()
            before_kb = memory_kb(daemon.pid, "VmRSS")
            command = [sys.executable, "-m", "tests.system.hostile_member"]
            arguments = [str(MEMBER), str(GROUP), str(SECONDS), attack, str(runtime)]
            answered = 0
            with subprocess.Popen([*command, *arguments]) as member:
                while member.poll() is None:
                    assert daemon.call("status")["state"] == "streaming"
                    answered += 1
                    with closing(Listener(daemon.names)) as listener:
                        listener.connect()
                        until(partial(listener.wait, 1.0), what="a hint")
            assert member.returncode == 0, "it did not get through to a socket"
            assert answered
            after = daemon.status()
            assert after["frames"]["published"] > before["frames"]["published"]
            assert after["incident"] is None
            assert memory_kb(daemon.pid, "VmHWM") - before_kb <= GROWS_KB
            missed: int = after["frames"]["missed"] - before["frames"]["missed"]
            return missed

        # Again where the machine was busy with something else for a fifth of a second.
        until(lambda: attacked() == 0, within_s=40, what="a flood without a missed frame")
        assert daemon.process.poll() is None
