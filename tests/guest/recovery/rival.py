"""Rivals for the camera, in the guest: a process that forks one for each line on standard input.

    {"node": "/dev/video0", "hold": "stream", "for_s": 5.0}   -> {"pid": N}, later {"taken": N}

Forked, because Python takes seconds to start in the guest, and a rival has to be there at once. It
tries until the driver gives it the camera, holds it as it was told to, and takes no frames.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from tests.guest.inside.handle import Handle, buffer_of
from tests.guest.recovery.steps import Hold

_EVERY_S = 0.001
"""A daemon that opens again has let go of the camera for some milliseconds only."""
_BUFFERS = 4
_SYS_EXIT = 60  # x86-64: ends the calling thread only
_PROT_READ, _MAP_SHARED, _MAP_FAILED = 1, 1, ctypes.c_void_p(-1).value


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int),
        *(ctypes.c_int, ctypes.c_long),
    ]
    return libc


def _map(handle: Handle, libc: ctypes.CDLL) -> None:
    """Map the buffers by mmap(2): Python's own would keep a copy of the descriptor."""
    for index in range(_BUFFERS):
        buffer = buffer_of(index)
        handle.ioctl("QUERYBUF", buffer)
        offset = buffer.m.offset
        mapped = libc.mmap(None, buffer.length, _PROT_READ, _MAP_SHARED, handle.fd, offset)
        if mapped == _MAP_FAILED:
            raise OSError(ctypes.get_errno(), "mmap")


def _take(node: Path) -> Handle:
    """Return the camera, streaming; tries for ever."""
    while True:
        try:
            handle = Handle(node)
        except OSError:
            time.sleep(_EVERY_S)
            continue
        while True:
            try:
                handle.set_format("MJPG", 320, 240)
                handle.request(_BUFFERS)
                _map(handle, _libc())
                for index in range(_BUFFERS):
                    handle.queue(index)
                handle.stream_on()
                return handle
            except OSError:
                time.sleep(_EVERY_S)


def _hold(node: Path, hold: Hold, for_s: float | None) -> None:
    """Be the rival. Does not return."""
    ready = threading.Event()
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # or it is late for those

    def take_and_hold() -> None:
        handle = _take(node)
        if hold is Hold.MAPPING:
            os.close(handle.fd)
        os.write(1, json.dumps({"taken": os.getpid()}).encode() + b"\n")
        ready.set()
        time.sleep(3600 if for_s is None else for_s)
        os._exit(0)

    if hold is not Hold.DEAD_LEADER:
        take_and_hold()
    threading.Thread(target=take_and_hold).start()
    ready.wait()
    _libc().syscall(_SYS_EXIT, 0)


def main() -> None:
    """Fork a rival for each line, until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects them
    for line in sys.stdin.buffer:
        wanted = json.loads(line)
        if os.fork() == 0:
            os.close(0)
            # Not its parent, which may be told of a rival that has the camera already.
            os.write(1, json.dumps({"pid": os.getpid()}).encode() + b"\n")
            _hold(Path(wanted["node"]), Hold(wanted["hold"]), wanted["for_s"])


if __name__ == "__main__":
    main()
