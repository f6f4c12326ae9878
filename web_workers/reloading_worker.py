"""ReloadingWorker: what gunicorn's master knows of our worker class, and as good as nothing more.

The master imports a worker class once and forks all workers that there will ever be; whatever it
has imported, they have, however old it is. So this one has no parts of its own: after the fork it
forgets every module of ours, imports them anew and becomes the StreamWorker of worker.py as it is
on disk now. SIGHUP thus brings new code, templates and settings into use. What stays as it was when
the master was started is this file, gunicorn itself, and the layout of what workers share.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import time
from types import FrameType
from typing import Any, ClassVar

from framebus import installation
from framebus.errors import SHORTAGES
from gunicorn.errors import AppImportError
from gunicorn.workers.gthread import ThreadWorker

from web_workers.handover.shared import Shared
from web_workers.handover.worker_registry import WorkerRegistry, WorkerState
from web_workers.worker_table import WorkerTable

_OURS = frozenset({"framebus", "web_workers"})
_PAUSE_S = 1.0


class ReloadingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker that becomes what the code on disk says, once it is a process of its own."""

    _shared: ClassVar[Shared | None] = None
    _table: ClassVar[WorkerTable]

    @classmethod
    def setup(cls) -> None:
        """Make what workers share. gunicorn calls it whenever it has looked the class up."""
        if cls._shared is None:
            cls._shared = Shared.create()
            cls._table = WorkerTable(cls._shared.table)

    def __init__(self, age: int, *args: Any, **kwargs: Any) -> None:
        """Be made, in the master, just before the fork."""
        super().__init__(age, *args, **kwargs)
        # These three, and the age, are all that a StreamWorker of any version may rely on.
        self.shared = self._shared
        self.held = self._table  # as long as the worker lives, and its row's lock with it
        self.row = -1
        self._table.started(age)

    def init_process(self) -> None:
        """Become a StreamWorker, and run. gunicorn calls it once, after the fork."""
        # Until the worker sets its own handlers the master's would swallow it.
        signal.signal(signal.SIGTERM, self._end_early)
        self.row = self._table.claim()
        registry = WorkerRegistry(self._table)
        registry.enter(self.age)
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
            del sys.modules[name]
        gc.freeze()  # to look for garbage is to write to memory that the master has as well
        try:
            self.__class__ = importlib.import_module("web_workers.worker").StreamWorker
            self.init_process()
        except ImportError as error:
            if self.booted:
                raise
            self.log.debug("not imported", exc_info=True)
            raise AppImportError(f"framebus: {installation.explained(error)}") from error
        except Exception as error:
            if self.booted or not _short(error) or not _others_serve(registry):
                raise
            # gunicorn's master would end all workers for one that does not start. For code that is
            # broken that is right; a shortage passes, and those who serve need not go with it.
            self.log.error("not started for want of something, again in %g s: %s", _PAUSE_S, error)
            time.sleep(_PAUSE_S)
            sys.exit(os.EX_TEMPFAIL)

    def _end_early(self, _number: int, _frame: FrameType | None) -> None:
        self.alive = False


def _short(error: Exception) -> bool:
    """Whether the machine had too little of something: descriptors, memory, threads."""
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        return True
    return getattr(error, "errno", None) in SHORTAGES


def _others_serve(registry: WorkerRegistry) -> bool:
    return any(peer.state in (WorkerState.SERVING, WorkerState.ENDING) for peer in registry.peers())
