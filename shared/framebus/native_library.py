"""Loads libraries in C that are ours: plain shared objects, which know nothing of Python.

`pip install` builds them where there is a C compiler. Each carries the usual frame alone, on one
side; Python can do all of it. Their XXH3 is that of the package xxhash, or the system's libxxhash.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

REMEDY: Final = (
    "install a C compiler (Debian and Ubuntu: gcc and libc6-dev), then framebus once more, as in "
    "`pip install --force-reinstall --no-deps .`"
)
_SYSTEMS_XXHASH: Final = "libxxhash.so.0"


class Unavailable(Exception):
    """There is no such library here; says why, for people."""


def load(path: Path) -> ctypes.CDLL:
    """Return a library. Raises Unavailable."""
    if not path.exists():
        raise Unavailable(f"{path} was not built when framebus was installed")
    if sys.byteorder != "little":
        raise Unavailable("this machine is big-endian")
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise Unavailable(f"{path} does not load here: {error}") from error


def address_of_xxh3() -> int:
    """Return where XXH3_64bits is: wheels of xxhash have it in them, distributions link to it.

    Raises Unavailable.
    """
    wheels = find_spec("xxhash._xxhash")
    for path in (wheels.origin if wheels else None, _SYSTEMS_XXHASH):
        try:
            function = ctypes.CDLL(path).XXH3_64bits
        except (OSError, AttributeError):
            continue
        return ctypes.cast(function, ctypes.c_void_p).value or 0
    raise Unavailable("no XXH3_64bits is found: neither in the package xxhash nor in libxxhash")


class Buffer(ctypes.Structure):
    """Python's Py_buffer, of the stable ABI."""

    buf: int
    """The address."""
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


_python = ctypes.PyDLL(None)
acquire = _python.PyObject_GetBuffer
"""Fill the Buffer, given by reference, with what an object has in memory; flags 0 read only."""
acquire.argtypes = (ctypes.py_object, ctypes.c_void_p, ctypes.c_int)
release = _python.PyBuffer_Release
"""And let go of it: until then the object stays where it is."""
release.argtypes = (ctypes.c_void_p,)
release.restype = None


def address_of(memory: object) -> int:
    """Return where the bytes of an object begin that keeps them where they are, as mmap does."""
    view = Buffer()
    acquire(memory, ctypes.byref(view), 0)
    release(ctypes.byref(view))
    return view.buf
