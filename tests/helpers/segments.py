"""Where the rings of a test's cameras lie."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from framebus.names import CameraNames, segment_path
from framebus.ring import ring_file


def segment(names: CameraNames) -> Path:
    """The segment that a camera's daemon tells of."""
    return ring_file.read(names)[0]


def segments(names: CameraNames) -> list[Path]:
    """All segments of a camera, told of or not."""
    return [
        segment_path(name)
        for name in sorted(os.listdir(segment_path("")))
        if name.startswith(names.segment_prefix)
    ]


def remove_segments(names: CameraNames) -> None:
    """Remove all segments of a camera, and what tells of one."""
    with suppress(OSError):  # it may be anything
        names.ring_file.unlink()
    for path in segments(names):
        path.unlink()
