"""The way from worker to worker: Unix socket pairs that gunicorn's master makes before it forks.

    put ──► lane 0 ──► take      A lane is one SOCK_SEQPACKET pair, used in one direction. All
    put ──► lane 1 ──► take      workers have both ends of every lane, so what one has put in,
            ...                  any other can take, also one that is started later.

A message (viewer_state.py) has the viewer's socket with it, and a memfd with the rest of the part
that was under way, if there is one; while it waits, the kernel holds both (unix(7), SCM_RIGHTS).
When the last process that has the lanes is gone, the kernel closes what still waits in them.

How much may wait is limited by the lanes' buffers (net.core.wmem_max: by Debian's own 330 viewers a
lane) and by RLIMIT_NOFILE, which also bounds the descriptors that a user has under way. Both make
`put` return False: later there may be room.

Nothing here blocks. For one thread.
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import os
import socket
import stat
import termios
from collections.abc import Iterator
from typing import NamedTuple

from framebus.errors import SHORTAGES

from web_workers.handover.lanes import Lanes
from web_workers.handover.viewer_state import SIZE, Unreadable, ViewerState, decoded

_NO_ROOM = frozenset({*SHORTAGES, errno.ETOOMANYREFS})
_FDS_MAX = 8  # more than any message has: what is too much must arrive to be closed


def close_what_waits(lanes: Lanes) -> None:
    """Close the viewers that workers of another layout have put in: nobody could serve them on."""
    for _, take in lanes:
        with socket.socket(fileno=os.dup(take)) as lane, contextlib.suppress(BlockingIOError):
            while True:
                _, fds, _, _ = socket.recv_fds(lane, 1, _FDS_MAX, socket.MSG_CMSG_CLOEXEC)
                for fd in fds:
                    os.close(fd)


class Arrival(NamedTuple):
    """A viewer that was taken out. The socket is the taker's to close."""

    sock: socket.socket
    viewer_state: ViewerState
    rest: bytes


class Channel:
    """All lanes, in one process. Never closed: it ends with the process."""

    def __init__(self, lanes: Lanes) -> None:
        self._puts = [socket.socket(fileno=put) for put, _ in lanes]
        self._takes = [socket.socket(fileno=take) for _, take in lanes]

    def filenos(self) -> list[int]:
        """The descriptors that are readable while something waits."""
        return [take.fileno() for take in self._takes]

    def waiting(self) -> int:
        """How many viewers wait."""
        count = array.array("i", [0])
        total = 0
        for take in self._takes:
            fcntl.ioctl(take, termios.FIONREAD, count)
            total += count[0] // SIZE
        return total

    def put(self, viewer_state: ViewerState, fd: int, rest: memoryview | None) -> bool:
        """Put a viewer in; False while there is no room for it.

        The descriptor `fd` stays the caller's to close. Raises ValueError for a document that is
        too long, and OSError for what waiting does not mend.
        """
        text = viewer_state.encoded()
        with contextlib.ExitStack() as stack:
            try:
                fds = [fd]
                if rest is not None:
                    fds.append(_kept(rest, stack))
            except OSError as error:
                if error.errno in _NO_ROOM:
                    return False
                raise
            return any(_sent(lane, text, fds) for lane in self._puts)

    def take(self) -> Arrival | None:
        """Take a viewer out; None when nothing waits, or there is no descriptor left for it.

        Raises Unreadable for a message that is none; what came with it is closed by then.
        """
        if not _descriptors_left():
            return None
        for lane in self._takes:
            try:
                data, fds, flags, _ = socket.recv_fds(lane, SIZE, _FDS_MAX, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                continue
            return _arrival(data, fds, flags)
        return None


def _kept(rest: memoryview, stack: contextlib.ExitStack) -> int:
    """Return a memfd with `rest` in it, which `stack` closes."""
    fd = os.memfd_create("framebus-rest", os.MFD_CLOEXEC)
    stack.callback(os.close, fd)
    while rest:
        rest = rest[os.write(fd, rest) :]
    return fd


def _sent(lane: socket.socket, text: bytes, fds: list[int]) -> bool:
    try:
        socket.send_fds(lane, [text], fds)
    except OSError as error:
        if error.errno in _NO_ROOM:
            return False
        raise
    return True


def _descriptors_left() -> bool:
    """Whether a message's descriptors can be received: the kernel drops those that cannot."""
    with contextlib.ExitStack() as stack:
        try:
            for _ in range(2):
                stack.callback(os.close, os.eventfd(0, os.EFD_CLOEXEC))
        except OSError:
            return False
    return True


def _arrival(data: bytes, fds: list[int], flags: int) -> Arrival:
    """Make sense of a message, or close what came with it."""
    with contextlib.ExitStack() as stack:
        for fd in fds:
            stack.callback(os.close, fd)
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise Unreadable("it was cut")
        viewer_state = decoded(data)
        rest = b""
        try:
            if len(fds) != (2 if viewer_state.rest else 1) or not stat.S_ISSOCK(
                os.fstat(fds[0]).st_mode
            ):
                raise Unreadable(f"{len(fds)} descriptors, or no socket")
            if viewer_state.rest:
                rest = b"".join(_read(fds[1], viewer_state.rest))
            # A copy: the stack closes the first, however this ends.
            return Arrival(socket.socket(fileno=os.dup(fds[0])), viewer_state, rest)
        except OSError as error:
            raise Unreadable(f"its descriptors: {error.strerror}") from error


def _read(fd: int, size: int) -> Iterator[bytes]:
    """Yield the `size` bytes of a file; raises Unreadable unless it has exactly those."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size != size:
        raise Unreadable("the rest is not what was told")
    at = 0
    while at < size:
        data = os.pread(fd, size - at, at)
        at += len(data)
        yield data
