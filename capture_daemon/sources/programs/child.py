"""A child process that writes to a pipe, and that never outlives the thread which started it.

It leads a process group of its own, so that Ctrl-C at the terminal does not reach it and its own
children end with it. It knows nothing of frames.

PR_SET_PDEATHSIG is tied to the *thread* that spawned the child: start it from one that lives as
long as the source is open. The capture thread does.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import framebus

_LAUNCHER = Path(framebus.__file__).with_name("end_with_parent.py")
_TERM_S = 0.5
"""How long it may take to end by itself; the daemon must be gone within 2 s in all."""
_KILL_S = 1.0
"""How long the kernel may take to end it; longer is an uninterruptible sleep."""
_PIECE = 256 << 10
_PIPE = 512 << 10
"""Bytes that its standard output may hold, and 64 KiB where the kernel grants no more. A frame that
does not fit is written in several goes, and each of them wakes us."""
_LINES = 64
"""Of what it says on standard error, so many last lines are kept,"""
_LINE = 400
"""and so many bytes of each."""
_LAST_LINES = 6
"""So many of them are in its exit report."""


class Child:
    """One running program and the ends of its two pipes. Made, used and closed by one thread."""

    def __init__(self, arguments: Sequence[str], *, pass_on: Sequence[int] = ()) -> None:
        """Start `arguments[0]`, with nothing on its standard input.

        It has copies of the descriptors `pass_on` under the same numbers.

        Raises:
            OSError: no process could be made. (A program that cannot run exits with 127.)
        """
        self._out, out = os.pipe()
        self._err, err = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", _LAUNCHER),
                    *(str(os.getpid()), str(int(signal.SIGKILL)), *arguments),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,
                pass_fds=pass_on,
            )
            self._pidfd = os.pidfd_open(self._process.pid)
        except OSError:
            os.close(self._out)
            os.close(self._err)
            raise
        finally:
            os.close(out)
            os.close(err)
        self._open = {self._out, self._err}
        self._closed = False
        self._piece = memoryview(bytearray(_PIECE))
        self._lines: deque[bytes] = deque([b""], maxlen=_LINES + 1)
        for end in self._open:
            os.set_blocking(end, False)
        with suppress(PermissionError):  # more than an unprivileged user's pipes may hold in all
            fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, _PIPE)

    @property
    def pid(self) -> int:
        """Process id, and the id of its group."""
        return self._process.pid

    @property
    def outputs(self) -> tuple[int, int]:
        """Its standard output and error; -1 for one that it has closed."""
        out, err = (end if end in self._open else -1 for end in (self._out, self._err))
        return out, err

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What to poll for reading: the pipes that the child has not closed."""
        return tuple(self._open)

    @property
    def ended(self) -> bool:
        """True when everything that it wrote is read and no more can come."""
        return self._out not in self._open

    def read(self, ready: Collection[int] | None = None) -> memoryview:
        """Return what is there of its standard output; never blocks. It is valid until the next.

        Only those of the descriptors are looked at that are `ready`, by default all.
        """
        if self._err in self._open and (ready is None or self._err in ready):
            self._keep_lines(bytes(self._take(self._err)))
        if self._out in self._open and (ready is None or self._out in ready):
            return self._take(self._out)
        return self._piece[:0]

    def exit_report(self) -> tuple[str, list[str]]:
        """Return how it ended and its last lines, once it has `ended`; waits 0.5 s for that."""
        status = self.status()
        self.read()
        match status:
            case None:
                how = "closed its output"
            case _ if status < 0:
                how = f"was killed by signal {-status}"
            case _:
                how = f"ended with status {status}"
        return how, self.lines()[-_LAST_LINES:]

    def status(self) -> int | None:
        """Return its exit status, once it has `ended`; waits 0.5 s for that, None: in vain."""
        self._exited(_TERM_S)
        return self._process.poll()

    def lines(self) -> list[str]:
        """Return what it has said lately on standard error, as far as it was read."""
        return [line.decode("utf-8", "replace").strip() for line in self._lines if line.strip()]

    def close(self) -> None:
        """End it and all of its group, and reap it. Twice is harmless; takes at most 1.5 s."""
        if self._closed:
            return
        self._closed = True
        os.close(self._out)
        os.close(self._err)
        self._open.clear()
        self._signal(signal.SIGTERM)
        self._exited(_TERM_S)
        # Until it is reaped its id cannot be anybody else's, so this hits its group and no other.
        self._signal(signal.SIGKILL)
        if self._exited(_KILL_S):
            self._process.wait()
        os.close(self._pidfd)

    def _take(self, end: int) -> memoryview:
        try:
            count = os.readv(end, [self._piece])
        except BlockingIOError:
            return self._piece[:0]
        if not count:
            self._open.discard(end)
        return self._piece[:count]

    def _keep_lines(self, said: bytes) -> None:
        first, *others = said.split(b"\n")
        self._lines[-1] = (self._lines[-1] + first)[-_LINE:]
        self._lines.extend(line[-_LINE:] for line in others)

    def _exited(self, timeout_s: float) -> bool:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(timeout_s * 1000))

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
