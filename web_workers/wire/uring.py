"""One thing sent to many sockets with one system call: as much of io_uring(7) as that takes.

The kernel reads what is to be sent from a queue of entries in memory that it shares with the
process, sends one after another before the system call returns, and writes the results into a
second queue. What an entry says stays the same from frame to frame, but for where the frame is and
how long, so `Sends` keeps them ready, and Python runs no loop over sockets at all.

Nothing here ever waits: each entry asks for MSG_DONTWAIT, for which the kernel never hands a send
to a thread of its own (REQ_F_NOWAIT). So entries complete while the process is inside the call, and
neither side reads a queue while the other writes it; no memory barriers are needed that Python does
not have. It is ctypes and mmap because the libraries there are make a Python call for each entry,
which is what this is to avoid.

Not everywhere allowed: containers as a rule refuse it, and so may an administrator
(/proc/sys/kernel/io_uring_disabled). Then `Uring()` raises OSError.

Numbers and structures are those of linux/io_uring.h, the same on all machines; io_uring_enter(2).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
from array import array
from collections.abc import Sequence

_SETUP = 425
_ENTER = 426
_ENTER_GETEVENTS = 1
_OP_SEND = 26
_FEAT_SINGLE_MMAP = 1
_OFFSET_ENTRIES = 0x10000000  # IORING_OFF_SQES
_FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL

# struct io_uring_sqe and io_uring_cqe, indices of 32-bit words
_ENTRY = 64  # bytes
_ENTRY_WORDS = _ENTRY // 4
_OPCODE, _FD, _LENGTH, _MSG_FLAGS, _USER_DATA = 0, 1, 6, 7, 8
_ADDRESS = 2  # of 64-bit words
_RESULT = 16  # bytes
_RESULT_WORDS = _RESULT // 4
_RESULT_USER_DATA, _RESULT_RES = 0, 2

# struct io_uring_params, indices of 32-bit words
_PARAMS_WORDS = 30
_P_ENTRIES, _P_RESULTS, _P_FEATURES = 0, 1, 5
_P_SUBMIT_TAIL, _P_SUBMIT_ARRAY = 11, 16
_P_COMPLETE_HEAD, _P_COMPLETE_TAIL, _P_COMPLETE_RESULTS = 20, 21, 25

_WRAP = 0xFFFFFFFF  # heads and tails count entries and wrap
ENTRIES = 256
"""Sends of one system call; more take several. A power of two."""

_libc = ctypes.CDLL(None, use_errno=True)
_setup = _libc["syscall"]
_setup.restype = ctypes.c_long
_setup.argtypes = (ctypes.c_long, ctypes.c_uint, ctypes.c_void_p)
_enter = _libc["syscall"]
_enter.restype = ctypes.c_long
_enter.argtypes = (
    *(ctypes.c_long, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint),
    *(ctypes.c_void_p, ctypes.c_size_t),
)


class Sends:
    """The entries of one send to each of some sockets."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        """Prepare sends to `descriptors`, which must stay open as long as this is used."""
        count = self.count = len(descriptors)
        self.entries = memoryview(bytearray(_ENTRY * count))
        words = self.entries.cast("I")
        words[_OPCODE::_ENTRY_WORDS] = array("I", (_OP_SEND,)) * count  # flags and ioprio are 0
        self.entries.cast("i")[_FD::_ENTRY_WORDS] = array("i", descriptors)  # -1 is a closed one
        words[_MSG_FLAGS::_ENTRY_WORDS] = array("I", (_FLAGS,)) * count
        words[_USER_DATA::_ENTRY_WORDS] = array("I", range(count))
        self._data = ctypes.c_char_p()
        self._address = ctypes.c_void_p.from_buffer(self._data)
        self._lengths = words[_LENGTH::_ENTRY_WORDS]
        self._addresses = self.entries.cast("Q")[_ADDRESS :: _ENTRY_WORDS // 2]

    def put(self, data: bytes) -> None:
        """Have `data` sent next; it is kept until there is another."""
        self._data.value = data
        self._addresses[:] = array("Q", (self._address.value or 0,)) * self.count
        self._lengths[:] = array("I", (len(data),)) * self.count


class Uring:
    """The two queues. For one thread; `close` it."""

    def __init__(self) -> None:
        """Make them; raises OSError where the kernel does not know or does not allow them."""
        params = (ctypes.c_uint32 * _PARAMS_WORDS)()
        self._fd = _setup(_SETUP, ENTRIES, params)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            self._map(params[:])
            self._try()
        except BaseException:
            os.close(self._fd)
            raise

    def _map(self, params: Sequence[int]) -> None:
        if not params[_P_FEATURES] & _FEAT_SINGLE_MMAP:  # Linux 5.4
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        entries, results = params[_P_ENTRIES], params[_P_RESULTS]
        array_at, results_at = params[_P_SUBMIT_ARRAY], params[_P_COMPLETE_RESULTS]
        size = max(array_at + entries * 4, results_at + results * _RESULT)
        shared = mmap.MAP_SHARED | mmap.MAP_POPULATE
        rings = mmap.mmap(self._fd, size, flags=shared)
        slots = mmap.mmap(self._fd, entries * _ENTRY, flags=shared, offset=_OFFSET_ENTRIES)
        self._entries = entries
        self._slots = memoryview(slots)
        self._words = memoryview(rings)[: size // 4 * 4].cast("I")
        self._words[array_at // 4 : array_at // 4 + entries] = array("I", range(entries))
        self._submit_tail = params[_P_SUBMIT_TAIL] // 4
        self._complete_head = params[_P_COMPLETE_HEAD] // 4
        self._complete_tail = params[_P_COMPLETE_TAIL] // 4
        self._results = results
        self._done = memoryview(rings)[results_at : results_at + results * _RESULT].cast("i")

    def _try(self) -> None:
        """Send a byte: before Linux 5.6 there were queues, but no sends."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            taken = self.send_all(Sends([ours.fileno()]), b"\0")
        if taken != [1]:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def send_all(self, sends: Sends, data: bytes) -> list[int]:
        """Send `data` to all of them; return what each took, in order.

        Bytes, or the negative errno; -EAGAIN of a socket that has no room. Fewer results than
        sockets mean that the kernel has sent to no more, for want of memory: whoever calls this
        may do it another way.
        """
        sends.put(data)
        taken: list[int] = []
        for start in range(0, sends.count, self._entries):
            some = sends.entries[start * _ENTRY : (start + self._entries) * _ENTRY]
            done = self._submit(some, len(data))
            taken += done
            if len(done) * _ENTRY < len(some):
                break
        return taken

    def close(self) -> None:
        """Give the queues back. Twice is harmless."""
        if self._fd < 0:
            return
        self._slots.release()
        self._words.release()
        self._done.release()
        os.close(self._fd)
        self._fd = -1

    def _submit(self, some: memoryview, size: int) -> list[int]:
        """Have the kernel carry out `some` entries, at most as many as there are slots."""
        count = len(some) // _ENTRY
        words = self._words
        tail = words[self._submit_tail]
        at = tail % self._entries * _ENTRY
        head = self._slots[at : at + len(some)]
        head[:] = some[: len(head)]
        self._slots[: len(some) - len(head)] = some[len(head) :]
        words[self._submit_tail] = tail + count & _WRAP
        submitted = max(0, _enter(_ENTER, self._fd, count, 0, 0, None, 0))
        if submitted < count:
            words[self._submit_tail] = tail + submitted & _WRAP  # it looks at no more of them
        return self._completed(submitted, size)

    def _completed(self, count: int, size: int) -> list[int]:
        """Take `count` results off; return what each entry took, in the order of the entries."""
        words = self._words
        head = words[self._complete_head]
        while words[self._complete_tail] - head & _WRAP < count:
            _enter(_ENTER, self._fd, 0, count, _ENTER_GETEVENTS, None, 0)
        at = head % self._results
        run = self._done[at * _RESULT_WORDS : (at + count) * _RESULT_WORDS]
        wrapped = self._done[: count * _RESULT_WORDS - len(run)]
        took = _column(_RESULT_RES, run, wrapped)
        if took.count(size) != count:  # they complete in order, but nobody promises it
            which = _column(_RESULT_USER_DATA, run, wrapped)
            took = [taken for _, taken in sorted(zip(which, took, strict=True))]
        words[self._complete_head] = head + count & _WRAP
        return took


def _column(word: int, *runs: memoryview[int]) -> list[int]:
    """Return one word of each of the results in `runs`."""
    column: list[int] = []
    for run in runs:
        column += run[word::_RESULT_WORDS].tolist()
    return column
