"""One thing sent to many sockets with one system call: as much of io_uring(7) as that takes.

The kernel reads what is to be sent from a queue of entries in memory that it shares with the
process, sends one after another before the system call returns, and writes the results into a
second queue. What an entry says stays the same from frame to frame, but for where the frame is and
how long. So the entries of the last `Sends` stay where the kernel reads them, and Python runs no
loop over sockets at all: neither to ask for the sends, nor to see that all went well.

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
import sys
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
_RES_BYTES = 4

# struct io_uring_params, indices of 32-bit words
_PARAMS_WORDS = 30
_P_ENTRIES, _P_RESULTS, _P_FEATURES = 0, 1, 5
_P_SUBMIT_TAIL, _P_SUBMIT_ARRAY = 11, 16
_P_COMPLETE_HEAD, _P_COMPLETE_TAIL, _P_COMPLETE_RESULTS = 20, 21, 25

_WRAP = 0xFFFFFFFF  # heads and tails count entries and wrap
ENTRIES = 512
"""Sends of one system call; a power of two. Before Linux 5.12 RLIMIT_MEMLOCK, 64 KiB as a rule,
bounds the queues' memory: 100 bytes for each."""

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

    def __init__(self, descriptors: Sequence[int], *, first: int = 0) -> None:
        """Prepare sends to `descriptors`, which must stay open as long as this is used.

        Results are told of numbers, the one of the first being `first`.
        """
        count = self.count = len(descriptors)
        self.entries = memoryview(bytearray(_ENTRY * count))
        words = self.entries.cast("I")
        words[_OPCODE::_ENTRY_WORDS] = array("I", (_OP_SEND,)) * count  # flags and ioprio are 0
        self.entries.cast("i")[_FD::_ENTRY_WORDS] = array("i", descriptors)  # -1 is a closed one
        words[_MSG_FLAGS::_ENTRY_WORDS] = array("I", (_FLAGS,)) * count
        words[_USER_DATA::_ENTRY_WORDS] = array("I", range(first, first + count))


class Uring:
    """The two queues. For one thread; `close` it."""

    def __init__(self, entries: int = ENTRIES) -> None:
        """Make them, for so many sends at once, a power of two.

        Raises OSError where the kernel does not know or does not allow them.
        """
        params = (ctypes.c_uint32 * _PARAMS_WORDS)()
        self._fd = _setup(_SETUP, entries, params)
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
        entries = self.entries = params[_P_ENTRIES]
        """How many sends at once."""
        results = self._results = params[_P_RESULTS]
        array_at, results_at = params[_P_SUBMIT_ARRAY], params[_P_COMPLETE_RESULTS]
        size = max(array_at + entries * 4, results_at + results * _RESULT)
        shared = mmap.MAP_SHARED | mmap.MAP_POPULATE
        rings = mmap.mmap(self._fd, size, flags=shared)
        slots = mmap.mmap(self._fd, entries * _ENTRY, flags=shared, offset=_OFFSET_ENTRIES)
        self._slots = memoryview(slots)
        self._words = memoryview(rings)[: size // 4 * 4].cast("I")
        self._queue = self._words[array_at // 4 : array_at // 4 + entries]  # numbers of slots
        self._numbers = memoryview(array("I", range(entries)))
        self._submit_tail = params[_P_SUBMIT_TAIL] // 4
        self._complete_head = params[_P_COMPLETE_HEAD] // 4
        self._complete_tail = params[_P_COMPLETE_TAIL] // 4
        self._done = memoryview(rings)[results_at : results_at + results * _RESULT].cast("i")
        self._data = ctypes.c_char_p()
        self._address = ctypes.c_void_p.from_buffer(self._data)
        self._load(Sends(()))

    def _try(self) -> None:
        """Send a byte: before Linux 5.6 there were queues, but no sends."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            done = self.send_all(Sends([ours.fileno()]), b"\0")
        if done != (1, []):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def send_all(self, sends: Sends, data: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Send `data` to all of them, at most `entries`; `data` is kept until there is another.

        Returns to how many it was sent, which are fewer when the kernel has no memory for more:
        whoever calls this may do the rest another way. And those who did not take it whole, in
        order: number and bytes, or the negative errno; -EAGAIN of a socket that has no room.
        """
        if sends is not self._loaded:
            self._load(sends)
        count, size = sends.count, len(data)
        self._data.value = data
        self._addresses[:] = array("Q", (self._address.value or 0,)) * count
        self._lengths[:] = array("I", (size,)) * count
        submitted = self._submit(count)
        return submitted, self._short(submitted, size)

    def close(self) -> None:
        """Give the queues back. Twice is harmless."""
        if self._fd < 0:
            return
        self._load(Sends(()))
        self._addresses.release()
        self._lengths.release()
        self._queue.release()
        self._slots.release()
        self._words.release()
        self._done.release()
        os.close(self._fd)
        self._fd = -1

    def _load(self, sends: Sends) -> None:
        """Put entries where the kernel reads them, and where they stay."""
        used = self._slots[: sends.count * _ENTRY]
        used[:] = sends.entries
        self._lengths = used.cast("I")[_LENGTH::_ENTRY_WORDS]
        self._addresses = used.cast("Q")[_ADDRESS :: _ENTRY_WORDS // 2]
        self._loaded = sends

    def _submit(self, count: int) -> int:
        """Have the kernel carry out the first `count` entries; return how many it did."""
        words = self._words
        tail = words[self._submit_tail]
        at = tail % self.entries
        ahead = min(count, self.entries - at)
        self._queue[at : at + ahead] = self._numbers[:ahead]
        if ahead < count:
            self._queue[: count - ahead] = self._numbers[ahead:count]
        words[self._submit_tail] = tail + count & _WRAP
        submitted: int = max(0, _enter(_ENTER, self._fd, count, 0, 0, None, 0))
        if submitted < count:
            words[self._submit_tail] = tail + submitted & _WRAP  # it looks at no more of them
        return submitted

    def _short(self, count: int, size: int) -> list[tuple[int, int]]:
        """Take `count` results off; return those that are not `size`, by their numbers."""
        words = self._words
        head = words[self._complete_head]
        while words[self._complete_tail] - head & _WRAP < count:
            _enter(_ENTER, self._fd, 0, count, _ENTER_GETEVENTS, None, 0)
        at = head % self._results
        runs = [self._done[at * _RESULT_WORDS : (at + count) * _RESULT_WORDS]]
        if at + count > self._results:
            runs.append(self._done[: (at + count - self._results) * _RESULT_WORDS])
        taken = b"".join([run[_RESULT_RES::_RESULT_WORDS].tobytes() for run in runs])
        short: list[tuple[int, int]] = []
        if taken != size.to_bytes(_RES_BYTES, sys.byteorder) * count:
            for run in runs:
                numbers = run[_RESULT_USER_DATA::_RESULT_WORDS].tolist()
                short += zip(numbers, run[_RESULT_RES::_RESULT_WORDS].tolist(), strict=True)
            # They complete in order, but nobody promises it.
            short = sorted((number, took) for number, took in short if took != size)
        words[self._complete_head] = head + count & _WRAP
        return short
