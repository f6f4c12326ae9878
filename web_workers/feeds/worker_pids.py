"""Which workers gunicorn has now. A page needs it: no browser tells a script that a live picture's
connection was lost, so pages ask for their pictures again when a worker is gone.
"""

from __future__ import annotations

import os
from pathlib import Path


def worker_pids() -> list[int]:
    """Return the process ids of this worker and the others, sorted; only itself if unknown.

    From /proc/PID/task/TID/children (proc(5)); gunicorn's master has no children but workers.
    """
    master = os.getppid()
    try:
        text = Path(f"/proc/{master}/task/{master}/children").read_text()
    except OSError:
        return [os.getpid()]
    return sorted(int(pid) for pid in text.split())
