"""framebus: one USB camera, one opener, any number of viewers.

This package is the contract that the capture daemon and the web workers share; it imports
neither. Programs that want frames need no more than `FrameReader`.
"""

from __future__ import annotations

from importlib.metadata import version

from framebus.errors import FramebusError
from framebus.frame import Frame, FrameFlags
from framebus.reader import FrameReader

__version__ = version("framebus")
__all__ = ["Frame", "FrameFlags", "FrameReader", "FramebusError", "__version__"]
