"""Limits of one worker, for tests without others."""

from __future__ import annotations

from framebus.options.chosen import Chosen

from tests.rigs.worker_table import close, table
from web_workers.admission.shared_load import SharedLoad
from web_workers.admission.viewer_limits import ViewerLimits


def viewer_limits(*, room: int = 1000, **limits: int) -> ViewerLimits:
    """Return the limits of a worker that is alone."""
    alone = table()
    load = SharedLoad(alone)
    close(alone)
    return ViewerLimits(
        Chosen({f"max_{name}": each for name, each in limits.items()}), load, room=room
    )
