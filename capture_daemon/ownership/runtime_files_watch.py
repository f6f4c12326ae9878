"""Whether others can still find this daemon: its lock, its ring and its sockets are files.

Whoever is attached goes on when they are removed (logind's RemoveIPC=, a cleaner of temporary
files, a person), and nobody new comes in. Worse, a second daemon can start beside the first. So
the daemon looks after them, and makes way when one is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class RuntimeFilesWatch:
    """The files by which one daemon is found, as they were when it had made them."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Remember what lies at `paths` now; a path where nothing lies is left out."""
        self._known = {path: mark for path in paths if (mark := _mark(path)) is not None}

    def lost(self) -> Path | None:
        """Return a path at which its file does not lie any more, None if all do.

        A file of another in its place is a loss as well. This process has all of them open, so the
        kernel gives none of their numbers to another file.
        """
        for path, mark in self._known.items():
            try:
                if _mark(path) != mark:
                    return path
            except OSError:
                continue  # nothing can be said of it, so nothing is
        return None


def _mark(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from all others, None where there is none. Raises OSError."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
