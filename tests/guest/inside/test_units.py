"""The units of deploy/ under systemd, installed as docs/operations.md says, on the real driver.

The tests are steps of one life and build on each other: a daemon takes 15 s to start in here.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.reader import FrameReader

from tests.guest.camera.client import Bench, wait_for
from tests.guest.inside.gapless import frames, goes_on_without_a_gap
from tests.guest.inside.installation import add_to_unit, follow, install_program
from tests.guest.inside.units import (
    CAPTURE,
    HELPER,
    LIMIT_S,
    WEB,
    eventually,
    log,
    main_process,
    may,
    number,
    systemctl,
    users,
)
from tests.guest.recovery.viewers import Audience
from tests.helpers.processes import descriptors_of
from tests.helpers.segments import segment, segments

KERNELS = ("stable+systemd",)
pytestmark = pytest.mark.timeout(600)

NAMES = CameraNames(Path("/run/framebus"), "front")
LINK = Path("/dev/framebus/front")
SERIAL = "UNITS1"
_RULES = "/etc/udev/rules.d/70-framebus.rules"
_CONFIGURATION = "/etc/framebus/framebus.toml"
_SECRET = "/etc/framebus/garden.env"
_PATIENT = "[Service]\nTimeoutStartSec=300\n"
"""Nothing in a guest is as fast as on a machine."""


class Installed:
    """The camera in its port, a reader of every frame, and a viewer of the web tier."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        self.bench = bench
        self.camera = bench.plug("front", "slow", serial=SERIAL)
        install_program()
        edits = {_RULES: _name_camera, _CONFIGURATION: _configure, _SECRET: _with_password}
        add_to_unit("framebus-capture@.service", "guest", f"{_PATIENT}WatchdogSec=100\n")
        add_to_unit(WEB, "guest", _PATIENT)
        follow("2. The users", "6. nginx in front", edits)
        follow("The helper, a small process", "Or the rule", {})
        self.reader = stack.enter_context(FrameReader("front", runtime=NAMES.runtime, every=True))
        self.audience = Audience(8080)
        self.audience.start()
        stack.callback(self.audience.close)

    def starts(self) -> int:
        """How often the camera was told to stream."""
        return int(self.camera.state()["starts"])

    def until_new_frames(self) -> None:
        """Wait for a frame of this daemon that is younger than this moment, here and in the web."""
        now_ns, now_s = time.monotonic_ns(), time.time()
        wait_for(lambda: self.reader.next(LIMIT_S).captured_ns > now_ns, "a new frame", LIMIT_S)
        wait_for(lambda: self.audience.fresh(now_s) == 1, "a new frame for the viewer", LIMIT_S)


def _name_camera(text: str) -> str:
    return text.replace(
        "046d_HD_Pro_Webcam_C920_1A2B3C4D", f"framebus_Framebus_Test_Camera_{SERIAL}"
    )


def _with_password(text: str) -> str:
    return f'{text}FRAMEBUS_SOURCE="http://me:secret@192.0.2.1/stream"\n'


def _configure(text: str) -> str:
    for old, new in (
        ('size = "1280x720"', 'size = "320x240"'),
        ("fps = 30", "fps = 0.2"),
        ('ring_size = "32M"', 'ring_size = "8M"'),
        ("workers = 2", "workers = 1"),
        ('view = "token"', 'view = "open"'),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def installed(bench: Bench) -> Iterator[Installed]:
    with ExitStack() as stack:
        one = Installed(bench, stack)
        yield one
        systemctl("stop", "framebus-web", "framebus-privileged.socket", CAPTURE, HELPER)
        one.camera.unplug()


def until_kept(count: int) -> None:
    """Wait until systemd has so many descriptors in the daemon's store."""
    eventually(lambda: number(CAPTURE, "NFileDescriptorStore") == count, f"{count} in the store")


def test_the_installed_services_serve_frames_and_run_as_their_users(installed: Installed) -> None:
    frames(installed.reader, 2)
    installed.audience.connect(1)
    installed.until_new_frames()
    assert users(CAPTURE) == {"framebus-capture"}
    assert users(WEB) == {"framebus-web"}
    assert LINK.resolve() == installed.camera.node()
    until_kept(1)


def test_the_web_tier_reads_rings_asks_daemons_and_can_command_open_or_write_nothing(
    installed: Installed,
) -> None:
    node, ring = installed.camera.wait_node(), segment(NAMES)
    assert may(WEB, f"-r {ring}", f"-w {NAMES.queries_socket}") == [True, True]
    others = (f"-w {NAMES.control_socket}", f"-r {_SECRET}")
    assert not any(may(WEB, f"-e {node}", f"-w {ring}", f"-w {NAMES.runtime}", *others))
    assert may(CAPTURE, f"-w {node}", f"-w {ring}", f"-w {NAMES.runtime}") == [True] * 3


def test_a_killed_daemon_is_restarted_by_systemd_and_no_picture_is_lost(
    installed: Installed,
) -> None:
    starts, pid = installed.starts(), main_process(CAPTURE)
    goes_on_without_a_gap(installed.reader, lambda: os.kill(pid, signal.SIGKILL))
    assert installed.starts() == starts
    assert main_process(CAPTURE) != pid
    until_kept(1)


def test_reload_takes_a_new_daemon_into_use_and_no_picture_is_lost(installed: Installed) -> None:
    starts, pid = installed.starts(), main_process(CAPTURE)
    goes_on_without_a_gap(installed.reader, lambda: systemctl("reload", CAPTURE))
    assert installed.starts() == starts
    assert main_process(CAPTURE) != pid


def test_restart_closes_and_opens_the_camera_and_viewers_stay(installed: Installed) -> None:
    starts = installed.starts()
    add_to_unit(CAPTURE, "watchdog", "[Service]\nWatchdogSec=8\n")  # for the next test
    systemctl("daemon-reload")
    systemctl("restart", CAPTURE)
    installed.until_new_frames()
    assert installed.starts() > starts
    assert installed.audience.gone() == 0


def test_a_hung_daemon_is_replaced_by_the_watchdog_and_a_camera_that_was_changed_is_found(
    installed: Installed,
) -> None:
    pid = main_process(CAPTURE)
    with contextlib.suppress(ProcessLookupError):  # on a machine that was paused it bit already
        os.kill(pid, signal.SIGSTOP)
    installed.camera.unplug()
    # Under another number, since the hung daemon and systemd have the old one open; and faster.
    installed.camera = installed.bench.plug("front", "bulk", serial=SERIAL)
    eventually(lambda: main_process(CAPTURE) != pid, "the watchdog")
    installed.until_new_frames()
    assert "Watchdog timeout" in log()
    assert installed.audience.gone() == 0


def test_the_helper_resets_a_wedged_camera_for_a_daemon_that_may_not(installed: Installed) -> None:
    installed.camera.arm("wedged")
    uid, port = os.stat(NAMES.lock).st_uid, installed.camera.device.name
    assert uid != 0
    done = re.compile(f"of user {uid}: {port} was (reset|deauthorised and authorised)")
    eventually(lambda: done.search(log()), "the reset")
    installed.until_new_frames()
    assert users(HELPER) == {"root"}


def test_stop_lets_go_of_the_camera_and_leaves_nothing_in_the_store(installed: Installed) -> None:
    camera = installed.camera
    # On a busy machine the new stream may have stalled again, and the daemon be trying a rung.
    eventually(lambda: descriptors_of(camera.wait_node()), "the camera to be open")
    systemctl("stop", CAPTURE)
    eventually(lambda: not descriptors_of(camera.wait_node()), "the camera to be let go of")
    until_kept(0)
    assert not segments(NAMES)
    assert installed.audience.gone() == 0
