"""The state of frames on their way into the ring, which the fast path in C and the slow one share.

Structures of 64-bit words, as fast_path.h, v4l2.c, paced.c and pipe.c have them. Without the
library they are plain memory all the same: the slow path is one, wherever it runs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

STAMPS: Final = 61
SUBSCRIBERS: Final = 512
HEADER_MAX: Final = 4096
BUFFERS: Final = 32

_U = ctypes.c_uint64
_S = ctypes.c_int64


class OutletState(ctypes.Structure):
    """The way into the ring. Nobody looks at, or changes, what is not constant without the lock."""

    memory: int
    epoch: int
    count: int
    arena: int
    capacity: int
    hash: int
    on_air: int
    newest_from: int
    newest_ns: int
    others: int
    subscribers: int
    descriptors: ctypes.Array[ctypes.c_int64]
    _fields_ = (
        ("mutex", _U * 8),
        *((name, _U) for name in ("memory", "epoch", "count", "arena", "capacity", "hash")),
        *((name, _U) for name in ("on_air", "newest_from", "newest_ns", "others", "subscribers")),
        ("descriptors", _S * SUBSCRIBERS),
    )

    def subscribed(self, descriptors: Sequence[int] | None) -> None:
        """Take note of who is told of each frame; None: only the slow path can tell them."""
        self.others = descriptors is None or len(descriptors) > SUBSCRIBERS
        self.subscribers = 0 if descriptors is None or self.others else len(descriptors)
        for at in range(self.subscribers):
            self.descriptors[at] = (descriptors or ())[at]


class InputState(ctypes.Structure):
    """What one capture thread has captured. Counts and times are under the outlet's lock."""

    number: int
    heartbeat_ns: int
    captured: int
    published: int
    valid: int
    missed: int
    newest_ns: int
    arrived_ns: int
    next_sequence: int
    stamped: int
    stamps: ctypes.Array[ctypes.c_uint64]
    same_length: int
    same_hash: int
    same_since_ns: int
    suspect: int
    limit_ns: int
    due_ns: int
    unwatched: int
    width: int
    height: int
    flags: int
    header_length: int
    header: ctypes.Array[ctypes.c_ubyte]
    _fields_ = (
        *((name, _U) for name in ("number", "heartbeat_ns")),
        *((name, _U) for name in ("captured", "published", "valid", "missed")),
        *((name, _U) for name in ("newest_ns", "arrived_ns", "next_sequence", "stamped")),
        ("stamps", _U * STAMPS),
        *((name, _U) for name in ("same_length", "same_hash", "same_since_ns", "suspect")),
        *((name, _U) for name in ("limit_ns", "due_ns", "unwatched")),
        *((name, _U) for name in ("width", "height", "flags", "header_length")),
        ("header", ctypes.c_ubyte * HEADER_MAX),
    )


class StreamState(ctypes.Structure):
    """A V4L2 stream of one descriptor; it belongs to the thread that streams."""

    ioctl: int
    device: int
    interrupt: int
    buffer: int
    held: int
    sequence: int
    raw: int
    seen_ns: int
    resumed_ns: int
    events: int
    error: int
    buffers: int
    addresses: ctypes.Array[ctypes.c_uint64]
    lengths: ctypes.Array[ctypes.c_uint64]
    _fields_ = (
        ("ioctl", _U),
        *((name, _S) for name in ("device", "interrupt")),
        ("buffer", _U),
        *((name, _S) for name in ("held", "sequence", "raw")),
        *((name, _U) for name in ("seen_ns", "resumed_ns", "events")),
        ("error", _S),
        ("buffers", _U),
        ("addresses", _U * BUFFERS),
        ("lengths", _U * BUFFERS),
    )


class PacedState(ctypes.Structure):
    """Frames that are due at times; it belongs to the thread that shows them."""

    interrupt: int
    file: int
    start_ns: int
    interval_ns: float
    tick: int
    frames: int
    count: int
    at: int
    by_tick: int
    buffer: int
    room: int
    before: int
    after: int
    after_length: int
    sequence: int
    captured_ns: int
    length: int
    _fields_ = (
        *((name, _S) for name in ("interrupt", "file")),
        ("start_ns", _U),
        ("interval_ns", ctypes.c_double),
        *((name, _U) for name in ("tick", "frames", "count", "at", "by_tick")),
        *((name, _U) for name in ("buffer", "room", "before", "after", "after_length")),
        *((name, _U) for name in ("sequence", "captured_ns", "length")),
    )


class PipeState(ctypes.Structure):
    """What a child program writes; it belongs to the thread that reads it."""

    interrupt: int
    out: int
    err: int
    buffer: int
    room: int
    filled: int
    sequence: int
    _fields_ = (
        *((name, _S) for name in ("interrupt", "out", "err")),
        *((name, _U) for name in ("buffer", "room", "filled", "sequence")),
    )
