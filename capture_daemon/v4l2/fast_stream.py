"""The fast path over a session's buffers: usual frames never come here, the others as ever."""

from __future__ import annotations

import ctypes

from linuxpy.video import raw

from capture_daemon.native.library import FastPath, Outcome
from capture_daemon.native.state import StreamState
from capture_daemon.v4l2.errors import translate
from capture_daemon.v4l2.handle import Handle

_OPERATIONS = {Outcome.QUEUE_FAILED: "QBUF", Outcome.DEQUEUE_FAILED: "DQBUF"}


def possible(fast_path: FastPath, handle: Handle) -> bool:
    """Tell whether the library and linuxpy mean the same by a buffer, and there is an ioctl."""
    same = fast_path.buffer_size == ctypes.sizeof(raw.v4l2_buffer)
    return same and bool(handle.ioctl_address)


def pass_frames(
    fast_path: FastPath, stream: StreamState, handle: Handle, timeout_s: float
) -> Outcome:
    """Have frames published until one is not usual, or none comes for so long, or an interrupt.

    For the thread that streams, which alone closes the descriptor. Raises SourceError.
    """
    stream.ioctl, stream.device = handle.ioctl_address, handle.fileno()
    outcome = fast_path.stream(stream, max(0, round(timeout_s * 1000)))
    operation = _OPERATIONS.get(outcome)
    if operation is not None:
        error = OSError(stream.error, "")
        raise translate(operation, error, handle.device) from error
    return outcome
