"""The program of `python -m capture_daemon`, which is `framebus capture`.

Where its words are flags and values and no more, it starts without click: sooner, and smaller by
more than a megabyte.
"""

from __future__ import annotations

import os
import sys

from framebus.invocation.arguments import hide_sources
from framebus.invocation.ending import ended
from framebus.options.chosen import Chosen
from framebus.options.option import Scope

from capture_daemon.settings.options import prepared


def _capture() -> int:
    chosen = Chosen.plainly(sys.argv[1:], os.environ, Scope.CAPTURE, Scope.BOTH)
    if chosen is None:
        from framebus.invocation import usage

        from capture_daemon.command import capture

        return usage.run(capture, name="framebus capture")
    settings = prepared(chosen)
    from capture_daemon.main import run  # usage errors need no ring

    return run(settings, os.environ)


def main() -> int:
    """Run it with the process's arguments; return the exit code."""
    hide_sources(sys.argv[1:])
    return ended(_capture)
