"""Loads the fast path, and calls it.

It is a shared library beside this file, which `pip install` builds where there is a C compiler; its
XXH3 is that of the package xxhash, or of the system's libxxhash.
"""

from __future__ import annotations

import ctypes
import enum
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final

from capture_daemon.native.state import InputState, OutletState, StreamState

PATH: Final = Path(__file__).with_name("fast_path.so")
REMEDY: Final = (
    "install a C compiler (Debian and Ubuntu: gcc and libc6-dev), then framebus once more, as in "
    "`pip install --force-reinstall --no-deps .`"
)
_python = ctypes.PyDLL(None)
_python.PyObject_GetBuffer.argtypes = (ctypes.py_object, ctypes.c_void_p, ctypes.c_int)
_python.PyBuffer_Release.argtypes = (ctypes.c_void_p,)
_python.PyBuffer_Release.restype = None
_SYSTEMS_XXHASH = "libxxhash.so.0"
_HALF = 32
_LOW = (1 << _HALF) - 1


class Unavailable(Exception):
    """There is no fast path here; says why, for people."""


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


class _Buffer(ctypes.Structure):
    """Python's Py_buffer, of the stable ABI."""

    buf: int
    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("format", "shape", "strides", "suboffsets")),
        ("internal", ctypes.c_void_p),
    )


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
        ours = (OutletState, InputState, StreamState)
        if (outlet, inputs, stream) != tuple(map(ctypes.sizeof, ours)):
            raise Unavailable(f"{PATH} is of another version: install framebus again")
        pointer, word = ctypes.c_void_p, ctypes.c_uint64
        for function in (functions.fast_path_lock, functions.fast_path_unlock):
            function.argtypes, function.restype = (pointer,), None
        functions.fast_path_init.argtypes = (pointer,)
        functions.fast_path_publish.argtypes = (pointer, pointer, pointer, word, word, word)
        functions.fast_path_publish.restype = ctypes.c_bool
        functions.fast_path_stream.argtypes = (pointer, pointer, pointer, ctypes.c_int)


def load(path: Path = PATH) -> Library:
    """Return the library. Raises Unavailable, which says why there is none."""
    if not path.exists():
        raise Unavailable(f"{path} was not built when framebus was installed")
    try:
        return Library(ctypes.CDLL(str(path)), _address_of_xxh3())
    except (OSError, AttributeError) as error:
        raise Unavailable(f"{path} does not load here: {error}") from error


def _address_of_xxh3() -> int:
    """Return where XXH3_64bits is: wheels of xxhash have it in them, distributions link to it."""
    wheels = find_spec("xxhash._xxhash")
    try:
        function = ctypes.CDLL(wheels.origin if wheels else None).XXH3_64bits
    except (OSError, AttributeError):
        function = ctypes.CDLL(_SYSTEMS_XXHASH).XXH3_64bits
    return ctypes.cast(function, ctypes.c_void_p).value or 0


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
        self.buffer_size = library.buffer_size
        """Bytes of a `struct v4l2_buffer`, as the library knows it."""
        self._view = _Buffer()
        self._view_address = ctypes.byref(self._view)

    def publish(self, data: bytes | memoryview, captured_ns: int, device_sequence: int) -> bool:
        """Publish and count a frame, if it is usual; False if not: then nothing was done."""
        outlet, state = self._addresses
        length = len(data)
        if isinstance(data, bytes):
            return bool(self._publish(outlet, state, data, length, captured_ns, device_sequence))
        _python.PyObject_GetBuffer(data, self._view_address, 0)
        try:
            at = self._view.buf
            return bool(self._publish(outlet, state, at, length, captured_ns, device_sequence))
        finally:
            _python.PyBuffer_Release(self._view_address)

    def stream(self, stream: StreamState, timeout_ms: int) -> Outcome:
        """Publish frames of a V4L2 stream until something is not usual, or none came for so long.

        What is held of its buffers, and what failed, is in `stream`.
        """
        return Outcome(self._stream(*self._addresses, ctypes.addressof(stream), timeout_ms))
