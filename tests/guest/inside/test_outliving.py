"""The camera goes on while its daemon dies: no picture is lost, with the keeper of `framebus up`.

FRAMEBUS_GUEST_KILLS says how often the daemon is killed; each takes 30 s. Once is seen on one
kernel: on the other it is seen with systemd for a keeper, in test_units.py.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.guest.camera.client import wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.gapless import goes_on_without_a_gap
from tests.guest.inside.kept_daemon import KeptDaemon
from tests.helpers.processes import descriptors_of

KILLS = int(os.environ.get("FRAMEBUS_GUEST_KILLS", "1"))
KERNELS = ("newer",) if KILLS == 1 else ("stable", "newer")


@pytest.fixture
def daemon(runtime: Path, plug: Plug, stack: ExitStack) -> KeptDaemon:
    return KeptDaemon(runtime, plug("slow"), stack)


@pytest.mark.timeout(150 + 60 * KILLS)
def test_a_killed_and_a_renewed_daemon_lose_no_frame_and_a_stopped_one_keeps_nothing(
    daemon: KeptDaemon,
) -> None:
    for _ in range(KILLS):
        goes_on_without_a_gap(daemon.reader, daemon.kill)
    goes_on_without_a_gap(daemon.reader, lambda: daemon.call("renew"))
    assert daemon.said("which was handed over") == KILLS + 1
    assert (daemon.reader.lapped, daemon.reader.skipped) == (0, 0)
    daemon.call("stop")
    wait_for(lambda: not descriptors_of(daemon.node), f"{daemon.node} to be let go of")
    daemon.call("start")
    daemon.frames(2)
