"""gunicorn as `framebus web` runs it (run_gunicorn.py).

Nothing of the directory in which somebody starts it is its own. gunicorn would look there for
modules first, so that a flask.py there would be the workers' Flask; and it would go there again at
each reload, and end, viewers and all, where that directory is gone (an old release).

Nor does it end for want of a process or a descriptor for one more worker, as gunicorn would.

What is relied on in gunicorn 26 and 27 (app/base.py, config.py, arbiter.py): `chdir` does both and
nothing else; `reload` makes all settings anew, and checks of each that its default is sound; `run`
makes base.Arbiter; `spawn_worker` raises OSError in the master alone, and is called after each
`wait_for_signals` as long as there are too few workers; a worker's end is a signal.
"""

from __future__ import annotations

import os

from framebus import installation
from gunicorn.app import base
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Chdir

_LOOK_S = 5.0
"""How often the master looks after workers, seconds; they have 30 s (gunicorn_conf.timeout)."""


class Application(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's application, which stays where it is."""

    def chdir(self) -> None:
        """Neither go anywhere nor import from there."""

    def load_config(self) -> None:
        """Read the settings, whose module may lack something: gunicorn would end with 1."""
        with installation.told():
            super().load_config()

    def reload(self) -> None:
        """Read the settings anew, which gunicorn does not where the directory was removed."""
        try:
            os.getcwd()
        except FileNotFoundError:
            os.chdir("/")
        super().reload()


class Master(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's master, which does not end, viewers and all, for a worker that it cannot start."""

    def spawn_worker(self) -> int | None:
        """Start a worker and return its process id, None when that cannot be done now."""
        try:
            pid: int | None = super().spawn_worker()
        except OSError as error:
            if os.getpid() != self.pid:
                raise
            self.log.error(
                "a worker cannot be started (%s): those that there are go on; it is tried again "
                "while there are too few, but a reload has to be asked for again",
                error,
            )
            return None
        return pid

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Return the signals that have come by then; while all is well nothing else wakes it up.

        But to see, now and then, whether workers have said lately that they live.
        """
        well = len(self.WORKERS) >= self.num_workers and not self.master_pid
        signals: list[int] = super().wait_for_signals(_LOOK_S if well else timeout)
        return signals

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """End; with the exit code that says so if a worker lacks something."""
        absent = exit_status == self.APP_LOAD_ERROR
        super().halt(reason, os.EX_UNAVAILABLE if absent else exit_status)


def run() -> None:
    """Be gunicorn's master, with the process's arguments."""
    base.Arbiter = Master
    Chdir.default = "/"  # it was where we are, which may be gone
    Application("%(prog)s [OPTIONS]", prog="framebus-web").run()
