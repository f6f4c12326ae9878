"""Loads the fast path, and calls it.

It is a shared library beside this file, which `pip install` builds where there is a C compiler
(framebus.native_library).
"""

from __future__ import annotations

import ctypes
import enum
from pathlib import Path
from types import TracebackType
from typing import Final

from framebus import native_library
from framebus.native_library import Buffer, Unavailable, acquire, address_of_xxh3, release

from capture_daemon.native.state import (
    InputState,
    OutletState,
    PacedState,
    PipeState,
    StreamState,
)

PATH: Final = Path(__file__).with_name("fast_path.so")
_HALF = 32
_LOW = (1 << _HALF) - 1


class Outcome(enum.IntEnum):
    """Why `stream` returned, as in v4l2.c."""

    NOTHING = 0
    """No frame for so long, or an interrupt."""
    UNUSUAL = 1
    """A frame was dequeued that is not usual."""
    NO_BUFFER = 2
    """poll told of something, and there was no frame."""
    QUEUE_FAILED = 3
    DEQUEUE_FAILED = 4


class PacedOutcome(enum.IntEnum):
    """Why `paced` returned, as in paced.c."""

    NOTHING = 0
    """No frame is due for so long, or an interrupt."""
    UNUSUAL = 1
    """A frame that is not usual is in the buffer."""
    OVER = 2
    """All frames were taken."""
    LOST = 3
    """A frame was not there."""


class Library:
    """The loaded library; `load` makes one."""

    def __init__(self, functions: ctypes.CDLL, hash_address: int) -> None:
        self.hash_address = hash_address
        self.functions = functions
        functions.fast_path_sizes.restype = ctypes.c_uint64
        functions.fast_path_stream_sizes.restype = ctypes.c_uint64
        outlet, inputs = functions.fast_path_sizes() >> _HALF, functions.fast_path_sizes() & _LOW
        sizes = functions.fast_path_stream_sizes()
        stream, self.buffer_size = sizes >> _HALF, sizes & _LOW
        sizes = functions.fast_path_paced_size(), functions.fast_path_pipe_size()
        ours = (OutletState, InputState, StreamState, PacedState, PipeState)
        if (outlet, inputs, stream, *sizes) != tuple(map(ctypes.sizeof, ours)):
            raise Unavailable(f"{PATH} is of another version: install framebus again")
        pointer, word = ctypes.c_void_p, ctypes.c_uint64
        for function in (functions.fast_path_lock, functions.fast_path_unlock):
            function.argtypes, function.restype = (pointer,), None
        functions.fast_path_init.argtypes = (pointer,)
        functions.fast_path_publish.argtypes = (pointer, pointer, pointer, word, word, word)
        functions.fast_path_publish.restype = ctypes.c_bool
        streams = (functions.fast_path_stream, functions.fast_path_paced, functions.fast_path_pipe)
        for function in streams:
            function.argtypes = (pointer, pointer, pointer, ctypes.c_int)


def load(path: Path = PATH) -> Library:
    """Return the library. Raises Unavailable, which says why there is none."""
    try:
        return Library(native_library.load(path), address_of_xxh3())
    except AttributeError as error:
        raise Unavailable(f"{path} is of another version: install framebus again") from error


class Mutex:
    """The outlet's lock, which C takes as well. Who waits for it does not keep others from Python.

    It is never held over anything that waits, and whoever has it may take it again.
    """

    def __init__(self, library: Library, outlet: OutletState) -> None:
        if library.functions.fast_path_init(ctypes.addressof(outlet)):
            raise Unavailable("there is no mutex to be had")
        self._outlet = outlet
        self._address = ctypes.addressof(outlet)
        self._lock = library.functions.fast_path_lock
        self._unlock = library.functions.fast_path_unlock

    def __enter__(self) -> None:
        self._lock(self._address)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unlock(self._address)


class FastPath:
    """What one capture thread has of it. Its state lives as long as this."""

    def __init__(self, library: Library, outlet: OutletState, state: InputState) -> None:
        self._state = outlet, state
        self._addresses = ctypes.addressof(outlet), ctypes.addressof(state)
        self._publish = library.functions.fast_path_publish
        self._stream = library.functions.fast_path_stream
        self._paced = library.functions.fast_path_paced
        self._pipe = library.functions.fast_path_pipe
        self.buffer_size = library.buffer_size
        """Bytes of a `struct v4l2_buffer`, as the library knows it."""
        self._view = Buffer()
        self._view_address = ctypes.byref(self._view)

    def publish(self, data: bytes | memoryview, captured_ns: int, device_sequence: int) -> bool:
        """Publish and count a frame, if it is usual; False if not: then nothing was done."""
        outlet, state = self._addresses
        length = len(data)
        if isinstance(data, bytes):
            return bool(self._publish(outlet, state, data, length, captured_ns, device_sequence))
        acquire(data, self._view_address, 0)
        try:
            at = self._view.buf
            return bool(self._publish(outlet, state, at, length, captured_ns, device_sequence))
        finally:
            release(self._view_address)

    def stream(self, stream: StreamState, timeout_ms: int) -> Outcome:
        """Publish frames of a V4L2 stream until something is not usual, or none came for so long.

        What is held of its buffers, and what failed, is in `stream`.
        """
        return Outcome(self._stream(*self._addresses, ctypes.addressof(stream), timeout_ms))

    def paced(self, state: PacedState, timeout_ms: int) -> PacedOutcome:
        """Publish frames when they are due, until one is not usual, or none is for so long."""
        return PacedOutcome(self._paced(*self._addresses, ctypes.addressof(state), timeout_ms))

    def pipe(self, state: PipeState, timeout_ms: int) -> bool:
        """Publish pictures out of a pipe; False after so long without one, or an interrupt.

        True if there is something else to be read, or in the buffer.
        """
        return bool(self._pipe(*self._addresses, ctypes.addressof(state), timeout_ms))
