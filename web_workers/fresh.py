"""FreshWorker: what gunicorn's master knows of our worker class, and as good as nothing more.

The master imports a worker class once and forks all workers that there will ever be; whatever it
has imported, they have, however old it is. So this one has no parts of its own: after the fork it
forgets every module of ours, imports them anew and becomes the StreamWorker of worker.py as it is
on disk now. SIGHUP thus brings new code, templates and settings into use. What stays as it was when
the master was started is this file, gunicorn itself, and the layout of what workers share.
"""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType
from typing import Any, ClassVar

from gunicorn.workers.gthread import ThreadWorker

from web_workers.handover.roster import Roster
from web_workers.handover.shared import Shared

_OURS = frozenset({"framebus", "web_workers"})


class FreshWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker that becomes what the code on disk says, once it is a process of its own."""

    _shared: ClassVar[Shared | None] = None
    _roster: ClassVar[Roster]

    @classmethod
    def setup(cls) -> None:
        """Make what workers share. gunicorn calls it whenever it has looked the class up."""
        if cls._shared is None:
            cls._shared = Shared.create()
            cls._roster = Roster(cls._shared.roster)

    def __init__(self, age: int, *args: Any, **kwargs: Any) -> None:
        """Be made, in the master, just before the fork."""
        super().__init__(age, *args, **kwargs)
        self.shared = self._shared
        self.held = (
            self._roster
        )  # as long as the worker lives: closing it drops its lock (fcntl(2))
        self._roster.started(age)

    def init_process(self) -> None:
        """Become a StreamWorker, and run. gunicorn calls it once, after the fork."""
        # Until the worker sets its own handlers the master's would swallow it.
        signal.signal(signal.SIGTERM, self._end_early)
        self._roster.claim(self.age)
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
            del sys.modules[name]
        self.__class__ = importlib.import_module("web_workers.worker").StreamWorker
        self.init_process()

    def _end_early(self, _number: int, _frame: FrameType | None) -> None:
        self.alive = False
