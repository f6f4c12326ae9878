"""A descriptor by which any thread wakes the one that polls it."""

from __future__ import annotations

import os
import threading


class Wakeup:
    """An eventfd: readable from `set` until `clear`. Thread-safe.

    Who hung until after `close` may still set it: that does nothing, and never writes into whatever
    has got the descriptor's number by then.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._open = True

    def fileno(self) -> int:
        """Return the descriptor, to be polled for reading."""
        return self._fd

    def set(self) -> None:
        """Wake whoever polls; it stays set until `clear`."""
        with self._mutex:
            if self._open:
                os.eventfd_write(self._fd, 1)

    def clear(self) -> bool:
        """Reset it, and tell whether it was set; harmless when not."""
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Close the descriptor. Twice is harmless."""
        with self._mutex:
            if self._open:
                self._open = False
                os.close(self._fd)
