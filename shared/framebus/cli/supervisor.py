"""Runs a few child processes in the foreground: starts, restarts and ends them.

One thread, one poll: signals arrive through a wake-up descriptor (the handlers do nothing else),
ends of children through their pidfds. When to restart is decided in restarts.py. This file does
not know what the children are; one child's process is child.py's.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import closing
from functools import partial

from framebus.cli.child import Child
from framebus.cli.restarts import GiveUp, decide
from framebus.signal_watch import SignalWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from framebus.cli.part import Part

END_S = 8.0
"""Seconds that children get to end after SIGTERM, before SIGKILL."""

ONE_WISH_S = 0.5
"""Signals so close together are one wish: timeout(1) signals its program, then the whole group."""


class Supervisor:
    """Keeps its parts running until a signal, or until one of them needs a person."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        environ: Mapping[str, str],
        say: Callable[[str], None],
        greeter: int = 0,
    ) -> None:
        """Prepare to run `parts` with `environ`; `say` tells a person one line.

        `greeter` is the process id of a child that ends by itself, and is to be collected; 0: none.
        """
        self._children = [Child(part, environ) for part in parts]
        self._say = say
        self._greeter = greeter
        self._greeter_fd = os.pidfd_open(greeter) if greeter else -1
        self._ending_since_s: float | None = None
        self._exit_code = os.EX_OK

    def run(self) -> int:
        """Start all parts, keep them running, end them; return the exit code for `up`."""
        with closing(SignalWatch()) as signals:
            try:
                while self._turn(signals):
                    pass
            finally:
                for child in self._children:
                    if child.pid:
                        child.kill_group()
                        child.reap(time.monotonic())
                    if child.store is not None:
                        child.store.close()
                if self._greeter:
                    os.kill(self._greeter, signal.SIGKILL)
                    self._greeted()
        return self._exit_code

    def _turn(self, signals: SignalWatch) -> bool:
        """One round of the loop; False once everything has ended."""
        now_s = time.monotonic()
        if self._ending_since_s is None:
            for child in self._children:
                if child.due_s is not None and child.due_s <= now_s:
                    self._start(child, now_s)
        elif not any(child.pid for child in self._children):
            return False
        elif now_s - self._ending_since_s >= END_S:
            self._kill(f"not ended after {END_S:g} s")

        answers: dict[int, Callable[[], None]] = {
            signals.fileno(): lambda: self._signalled(signals.received())
        }
        if self._greeter:
            answers[self._greeter_fd] = self._greeted
        for child in self._children:
            if child.pid:
                answers[child.pidfd] = partial(self._ended, child)
            if child.store is not None:
                answers[child.store.fileno()] = child.hear
        poller = select.poll()
        for fd in answers:
            poller.register(fd, select.POLLIN)
        for fd, _ in poller.poll(self._timeout_ms()):
            answers[fd]()
        return True

    def _start(self, child: Child, now_s: float) -> None:
        try:
            child.start(now_s)
        except OSError as error:  # no memory, no process ids: as if it had died at once
            self._say(f"cannot start {child.part.name}: {error}")
            self._decide(child, exit_code=os.EX_OSERR, lived_s=0.0)

    def _timeout_ms(self) -> float | None:
        """Milliseconds until something is due, None if nothing is."""
        if self._ending_since_s is not None:
            due = [self._ending_since_s + END_S]
        else:
            due = [child.due_s for child in self._children if child.due_s is not None]
        if not due:
            return None
        return max(0.0, min(due) - time.monotonic()) * 1000

    def _greeted(self) -> None:
        """Collect the greeter."""
        os.waitpid(self._greeter, 0)
        os.close(self._greeter_fd)
        self._greeter = 0

    def _ended(self, child: Child) -> None:
        """Collect a child that ended."""
        exit_code, lived_s = child.reap(time.monotonic())
        if self._ending_since_s is None:
            self._decide(child, exit_code=exit_code, lived_s=lived_s)

    def _decide(self, child: Child, *, exit_code: int, lived_s: float) -> None:
        """Do what restarts.py says about a child that does not run any more."""
        decision = decide(
            child.row, exit_code=exit_code, lived_s=lived_s, retried=child.part.retried
        )
        if isinstance(decision, GiveUp):
            self._say(
                f"{child.part.name} cannot start ({decision.reason}, exit code {exit_code}): "
                "see its message above"
            )
            self._exit_code = exit_code
            self._end()
            return
        child.row = decision.row
        child.due_s = time.monotonic() + decision.delay_s
        when = f"in {decision.delay_s:.1f} s" if decision.delay_s else "at once"
        self._say(f"{child.part.name} ended ({_how(exit_code)}); starting it again {when}")

    def _signalled(self, numbers: Sequence[signal.Signals]) -> None:
        """Begin to end on the first signal, kill on one that comes later."""
        for number in numbers:
            if self._ending_since_s is None:
                self._say(f"{number.name}: ending; once more to kill")
                self._end()
            elif time.monotonic() - self._ending_since_s >= ONE_WISH_S:
                self._exit_code = 128 + number
                self._kill(f"{number.name} again")

    def _end(self) -> None:
        self._ending_since_s = time.monotonic()
        for child in self._children:
            child.due_s = None
            child.terminate()

    def _kill(self, why: str) -> None:
        alive = [child for child in self._children if child.pid]
        self._say(f"{why}: killing {', '.join(child.part.name for child in alive)}")
        for child in alive:
            child.kill_group()
        self._ending_since_s = time.monotonic()


def _how(exit_code: int) -> str:
    """Return how a process ended, for people; `exit_code` as subprocess reports it."""
    if exit_code < 0:
        return f"killed by signal {-exit_code}, {signal.strsignal(-exit_code)}"
    return f"exit code {exit_code}"
