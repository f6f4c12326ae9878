"""Signals as something to poll: the handlers do nothing, a descriptor tells which arrived."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def signal_descriptor(numbers: Iterable[signal.Signals]) -> Iterator[socket.socket]:
    """Yield a non-blocking socket that gets one byte, its number, for each signal that arrives.

    Those of `numbers` that the process was started with as ignored (nohup) stay so. All is as
    before at the end. Main thread only.
    """
    ours, handlers = socket.socketpair()
    with ours, handlers:
        ours.setblocking(False)
        handlers.setblocking(False)
        wakeup = signal.set_wakeup_fd(handlers.fileno(), warn_on_full_buffer=False)
        before = {
            number: signal.signal(number, _only_wake)
            for number in numbers
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield ours
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)


def _only_wake(_number: int, _frame: object) -> None:
    """Do nothing: Python has already written the signal's number to the wake-up descriptor."""
