"""What the pump and Python share: `struct pump` of pump.c, 64-bit words and some bytes."""

from __future__ import annotations

import ctypes
from typing import Final

VIEWERS: Final = 32
EVENTS: Final = 64
SAID: Final = 4096
BOUNDS: Final = 12
HEAD: Final = 512
"""Bytes of a part that are not its JPEG's, at most."""

_U = ctypes.c_uint64
_S = ctypes.c_int64


class PumpState(ctypes.Structure):
    """Where a word is not explained here it is in pump.c."""

    epoll: int
    hints: int
    progress: int
    hash: int
    interval_word: int
    claimed_word: int
    arena: int
    capacity: int
    largest: int
    epoch: int
    interval_ns: int
    part: int
    room: int
    bounds: ctypes.Array[ctypes.c_uint64]
    viewers: int
    sockets: ctypes.Array[ctypes.c_int64]
    silence_ns: int
    until_ns: int
    look_ns: int
    sent_ns: int
    published: int
    newest: ctypes.Array[ctypes.c_uint64]
    start: int
    size: int
    pumped: int
    behind: int
    taken: ctypes.Array[ctypes.c_int64]
    events: int
    ready: ctypes.Array[ctypes.c_uint64]
    said_size: int
    said: ctypes.Array[ctypes.c_ubyte]
    _fields_ = (
        *((name, _S) for name in ("epoll", "hints")),
        *((name, _U) for name in ("progress", "hash")),
        *((name, _U) for name in ("interval_word", "claimed_word", "arena")),
        *((name, _U) for name in ("capacity", "largest", "epoch", "interval_ns")),
        *((name, _U) for name in ("part", "room")),
        ("bounds", _U * BOUNDS),
        ("viewers", _U),
        ("sockets", _S * VIEWERS),
        *((name, _U) for name in ("silence_ns", "until_ns", "look_ns")),
        *((name, _U) for name in ("sent_ns", "published")),
        ("newest", _U * 11),
        *((name, _U) for name in ("start", "size", "pumped", "behind")),
        ("taken", _S * VIEWERS),
        ("events", _U),
        ("ready", _U * (2 * EVENTS)),
        ("said_size", _U),
        ("said", ctypes.c_ubyte * SAID),
    )
