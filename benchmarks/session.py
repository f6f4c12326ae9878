"""What every benchmark does before it starts anything."""

from __future__ import annotations

import resource
import signal
from types import FrameType


def prepare() -> None:
    """Allow as many descriptors as the user may have, and end on SIGTERM as on Ctrl-C.

    Through the finally clauses, that is, which end the children.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
