"""framebus: one USB camera, one opener, any number of viewers.

This package is the contract that the capture daemon and the web workers share; it imports
neither. Programs that want frames need no more than `FrameReader`.
"""

from __future__ import annotations

from framebus.errors import FramebusError
from framebus.version import __version__

TYPE_CHECKING = False  # typing is not worth its memory here
if TYPE_CHECKING:
    from framebus.frame import Frame, FrameFlags
    from framebus.reader import FrameReader

__all__ = ["Frame", "FrameFlags", "FrameReader", "FramebusError", "__version__"]


def __getattr__(name: str) -> object:
    # FrameReader brings ZeroMQ in, and a frame dataclasses: whoever needs only a name or an error
    # can do without.
    if name == "FrameReader":
        from framebus.reader import FrameReader

        return FrameReader
    if name in ("Frame", "FrameFlags"):
        from framebus import frame

        return getattr(frame, name)
    raise AttributeError(f"module 'framebus' has no attribute {name!r}")
