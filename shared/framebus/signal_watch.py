"""Turns signals into a readable descriptor. The handlers do nothing; Python's wake-up enqueues.

Main thread only, once per process. Programs that are started from here inherit nothing of it.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # `framebus up` is kept small by what it does not import
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""The signals that mean "end"."""


class SignalWatch:
    """Catches signals until `close`, which puts all back."""

    def __init__(self, numbers: Iterable[signal.Signals] = ENDING) -> None:
        """What of `numbers` was ignored when we were started stays so: nohup, a job of a shell."""
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        wanted = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, _nothing) for number in wanted}
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Readable when a signal has come."""
        return self._reader

    def received(self) -> list[signal.Signals]:
        """Return the signals that have come since the last call, oldest first."""
        try:
            return [signal.Signals(number) for number in os.read(self._reader, 512)]
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Put the earlier handlers back."""
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Exist, so that the signal is caught and its number written to the descriptor."""
