"""A process that tells a person where the page is, once it answers, and ends.

It is a fork of `framebus up`, which becomes a smaller program meanwhile: what a banner takes is not
kept for weeks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import click

from framebus import printable
from framebus.cli import banner, qr
from framebus.end_with_parent import end_with_parent

_PROBE_EVERY_S = 0.1


def start(served: banner.Served) -> int:
    """Start it; return its process id, for this process to collect. No thread may run here."""
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    pid = os.fork()
    if pid:
        return pid
    # Nothing of `up` is to run on here, whatever happens.
    try:
        # Ctrl-C at the terminal reaches this process too, which has nothing to end or to say.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        end_with_parent(parent, signal.SIGTERM)
        while not served.listen.answers(tls=served.access.scheme == "https"):
            time.sleep(_PROBE_EVERY_S)
        _greet(served)
    finally:
        os._exit(os.EX_OK)


def _greet(served: banner.Served) -> None:
    """A terminal or pipe that has gone is no reason to end what was started."""
    secret = banner.person_reads()
    with contextlib.suppress(OSError):
        click.echo(printable.lines(banner.banner(served, secret=secret)))
        if code := qr.for_terminal(next(iter(banner.elsewhere(served, secret=secret)), "")):
            click.echo(code)  # with its colours, which no text gets that is not ours
