"""A gate over a ledger of its own, for tests without workers."""

from __future__ import annotations

from web_workers.admission.viewer_limits import Limits, ViewerLimits
from web_workers.counts.scoreboard import Scoreboard


def viewer_limits(board: Scoreboard, *, room: int = 1000, **limits: int) -> ViewerLimits:
    """Return the gate of a worker that has claimed no slot: it counts for itself."""
    return ViewerLimits(Limits(**limits), board.shared_load(), room=room)
