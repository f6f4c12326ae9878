"""What a fan-out counts with each frame: words in memory, which the pump counts in as well.

Other threads read them while it runs. It writes `frames` before `published`: who reads `published`
first sees no frame as skipped that is only just being sent.
"""

from __future__ import annotations

import ctypes
from typing import Final

BUCKETS: Final = 13
"""Of ages: one more than there are bounds (tally.py)."""


class Progress(ctypes.Structure):
    """One fan-out's; the pump knows it as `struct progress`."""

    published: int
    """How many frames the camera had published by the newest, delivered or not."""
    frames: int
    """Sent to those who were in step from the beginning."""
    bytes: int
    """In those."""
    captured_ns: int
    """When the newest frame was captured; 0 without one."""
    age_ns: int
    """The sum of ages."""
    ages: ctypes.Array[ctypes.c_uint64]
    """Frames by the bucket of their age."""
    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("published", "frames", "bytes")),
        *((name, ctypes.c_uint64) for name in ("captured_ns", "age_ns")),
        ("ages", ctypes.c_uint64 * BUCKETS),
    )
