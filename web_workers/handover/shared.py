"""What all workers share: made once, in gunicorn's master, before the first fork.

Only descriptors: what is in them, the code of the workers knows, and that may be newer than the
master's. `LAYOUT` grows with every change of what is in them; workers whose code has another one
share nothing, until the web tier is restarted. `layout` and `lanes` are in all layouts: who shares
nothing closes the viewers that are put in there.
"""

from __future__ import annotations

from dataclasses import dataclass

from web_workers.handover.lanes import create_lanes
from web_workers.worker_table import create_memory

LAYOUT = 3


@dataclass(frozen=True, slots=True)
class Shared:
    """Descriptors that a worker inherits."""

    layout: int
    table: int
    lanes: tuple[tuple[int, int], ...]

    @classmethod
    def create(cls) -> Shared:
        """Make everything, empty."""
        return cls(LAYOUT, create_memory(), tuple(create_lanes()))
