"""Who owns the stream, and what everybody else is told: the driver's behaviour, not ours."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.guest.camera.client import PluggedCamera
from tests.guest.inside.handle import OK, Handle

KERNELS = ("stable", "newer")
BUSY = "EBUSY"


@pytest.fixture
def streaming(handle: Handle) -> Iterator[Handle]:
    """The first descriptor, which streams."""
    handle.set_format("MJPG", 320, 240)
    handle.start()
    handle.dequeue()
    yield handle
    handle.stop()


@pytest.mark.parametrize(
    "call",
    ["S_FMT", "S_PARM", "REQBUFS", "REQBUFS(0)", "QBUF", "DQBUF", "STREAMON", "STREAMOFF"],
)
def test_while_one_streams_another_is_refused(streaming: Handle, second: Handle, call: str) -> None:
    assert second.attempt(call) == BUSY
    assert not streaming.dequeue().faulty


@pytest.mark.parametrize(
    "call", ["QUERYCAP", "ENUM_FMT", "G_FMT", "TRY_FMT", "G_PARM", "G_CTRL", "S_CTRL"]
)
def test_while_one_streams_another_may_ask_and_even_set_controls(
    streaming: Handle, second: Handle, call: str
) -> None:
    assert second.attempt(call) == OK
    assert not streaming.dequeue().faulty


def test_querybuf_of_another_depends_on_the_kernel(
    streaming: Handle, second: Handle, buffers_own: bool
) -> None:
    assert second.attempt("QUERYBUF") == (OK if buffers_own else BUSY)


def test_poll_of_another_says_readable_at_once_and_proves_nothing(
    streaming: Handle, second: Handle
) -> None:
    assert second.poll(5.0) & select.POLLIN
    assert second.attempt("DQBUF") == BUSY


@pytest.mark.parametrize("call", ["S_FMT", "S_PARM"])
def test_the_owner_cannot_change_its_own_stream_while_it_runs(streaming: Handle, call: str) -> None:
    assert streaming.attempt(call) == BUSY


def test_a_first_s_fmt_owns_the_stream_on_older_kernels_only(
    handle: Handle, second: Handle, buffers_own: bool
) -> None:
    handle.set_format("MJPG", 640, 480)
    calls = ("S_FMT", "S_PARM", "REQBUFS")
    assert [second.attempt(call) for call in calls] == [OK if buffers_own else BUSY] * 3


def test_a_second_takes_the_stream_from_a_first_that_has_no_buffers(
    handle: Handle, second: Handle, buffers_own: bool
) -> None:
    handle.set_format("MJPG", 640, 480)
    if not buffers_own:
        assert second.attempt("S_FMT") == BUSY
        return
    second.set_format("MJPG", 320, 240)
    second.start()
    assert second.dequeue().whole
    assert handle.attempt("REQBUFS") == BUSY


def test_buffers_that_are_kept_keep_the_stream(handle: Handle, second: Handle) -> None:
    handle.start()
    handle.stop()
    assert second.attempt("S_FMT") == BUSY
    for one in handle.maps:
        one.close()
    handle.maps.clear()
    handle.request(0)
    assert second.attempt("S_FMT") == OK


def test_a_mapping_outlives_close_and_keeps_the_stream(handle: Handle, second: Handle) -> None:
    handle.start()
    os.close(handle.fd)
    handle.fd = -1
    assert second.attempt("S_FMT") == BUSY
    handle.close()
    assert second.attempt("S_FMT") == OK


def test_own_buffers_refuse_an_own_s_fmt(handle: Handle) -> None:
    handle.request(4)
    assert handle.attempt("S_FMT") == BUSY


def test_priority_record_keeps_another_from_controls_and_format(
    handle: Handle, second: Handle
) -> None:
    assert handle.attempt("S_PRIORITY(RECORD)") == OK
    assert [second.attempt(call) for call in ("S_CTRL", "S_FMT", "G_CTRL")] == [BUSY, BUSY, OK]


_HOLDER = """
import sys, time
from pathlib import Path
from tests.guest.inside.handle import Handle
handle = Handle(Path(sys.argv[1]))
handle.start()
handle.dequeue()
print("streaming", flush=True)
time.sleep(600)
"""


def test_a_killed_process_lets_go_once_its_pidfd_is_readable(camera: PluggedCamera) -> None:
    node = camera.wait_node()
    command = [sys.executable, "-c", _HOLDER, str(node)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder, Handle(node) as second:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"streaming\n"
        assert second.attempt("REQBUFS") == BUSY
        pidfd = os.pidfd_open(holder.pid)
        holder.send_signal(signal.SIGKILL)
        assert select.select([pidfd], [], [], 30)[0]
        os.close(pidfd)
        started = time.monotonic()
        assert second.attempt("S_FMT") == OK
        second.start()
        assert second.dequeue().whole
        assert time.monotonic() - started < 10
