"""A gate over a ledger of its own, for tests without workers."""

from __future__ import annotations

from web_workers.admission.gate import Gate
from web_workers.admission.settings import Limits
from web_workers.counts.scoreboard import Scoreboard


def gate(board: Scoreboard, *, room: int = 1000, **limits: int) -> Gate:
    """Return the gate of a worker that has claimed no slot: it counts for itself."""
    return Gate(Limits(**limits), board.ledger(), room=room)
