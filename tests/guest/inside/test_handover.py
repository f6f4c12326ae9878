"""A streaming descriptor that another process was given outlives the one that opened it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.guest.camera.client import PluggedCamera
from tests.guest.inside.handle import OK, Handle

KERNELS = ("stable", "newer")
BUFFERS = 16
"""At 15 frames a second they hold one second: a giver that is late loses none."""

_GIVER = """
import os, socket, sys
from pathlib import Path
from tests.guest.inside.handle import Handle
cable = socket.socket(fileno=int(sys.argv[2]))
handle = Handle(Path(sys.argv[1]))
handle.set_format("MJPG", 320, 240)
handle.set_rate(15)
handle.start(int(sys.argv[3]))
for _ in range(5):
    last = handle.dequeue()
socket.send_fds(cable, [b"%d" % last.sequence], [handle.fd])
cable.recv(1)
os._exit(0)
"""


@pytest.mark.parametrize("killed", [False, True], ids=["exits", "killed"])
def test_who_was_given_the_descriptor_goes_on_without_losing_what_waited(
    camera: PluggedCamera, killed: bool
) -> None:
    node = camera.wait_node()
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", _GIVER, str(node), str(theirs.fileno()), str(BUFFERS)]
    with (
        ours,
        theirs,
        subprocess.Popen(command, pass_fds=[theirs.fileno()]) as giver,
        Handle(node) as stranger,
    ):
        ours.settimeout(60)
        last, (fd,), _, _ = socket.recv_fds(ours, 64, 1)
        pidfd = os.pidfd_open(giver.pid)
        if killed:
            giver.send_signal(signal.SIGKILL)
        else:
            ours.send(b".")
        assert select.select([pidfd], [], [], 30)[0]
        os.close(pidfd)
        time.sleep(0.5)  # what waits in the buffers meanwhile is the point
        with Handle.adopt(fd, BUFFERS) as adopted:
            assert stranger.attempt("REQBUFS") == "EBUSY"
            frames = [adopted.dequeue() for _ in range(BUFFERS + 4)]
            numbers = [frame.sequence for frame in frames]
            assert numbers[: BUFFERS - 1] == [int(last) + 1 + index for index in range(BUFFERS - 1)]
            assert numbers == sorted(numbers)
            assert all(frame.whole and not frame.faulty for frame in frames)
            adopted.stop()
        assert stranger.attempt("S_FMT") == OK
