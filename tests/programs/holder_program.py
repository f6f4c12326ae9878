"""A process that holds a device until its input ends.

`python -m tests.programs.holder_program HOW PATH`.

HOW is "descriptor", "mapping" (a mapping and no descriptor), or "dead-leader" (the leading thread
has ended, another lives on and has the descriptor).
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import sys
import threading

_SYS_EXIT = {"x86_64": 60, "aarch64": 93}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]


def map_only(fd: int, length: int, flags: int, offset: int = 0) -> None:
    """Map a descriptor and close it: Python's own mmap would keep a duplicate open."""
    address = _libc.mmap(None, length, mmap.PROT_READ | mmap.PROT_WRITE, flags, fd, offset)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    os.close(fd)


def end_this_thread() -> None:
    """End the calling thread, and not its process; for the main thread it does not return."""
    _libc.syscall(_SYS_EXIT[platform.machine()], 0)


def wait() -> None:
    """Say that all is as it should be, and end with the input."""
    os.write(1, b"ready\n")
    os.read(0, 1)
    os._exit(0)


def main(how: str, path: str) -> None:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    if how == "mapping":
        map_only(fd, mmap.PAGESIZE, mmap.MAP_PRIVATE)
    if how == "dead-leader":
        threading.Thread(target=wait).start()
        end_this_thread()
    wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
