"""framebus: one USB camera, one opener, any number of viewers.

This package is the contract that the capture daemon and the web workers share; it imports
neither. Programs that want frames need no more than `FrameReader`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framebus.errors import FramebusError
from framebus.frame import Frame, FrameFlags
from framebus.version import __version__

if TYPE_CHECKING:
    from framebus.reader import FrameReader

__all__ = ["Frame", "FrameFlags", "FrameReader", "FramebusError", "__version__"]


def __getattr__(name: str) -> object:
    # FrameReader brings ZeroMQ in, which whoever needs only a name or an error can do without.
    if name == "FrameReader":
        from framebus.reader import FrameReader

        return FrameReader
    raise AttributeError(f"module 'framebus' has no attribute {name!r}")
