"""`python -m capture_daemon` is `framebus capture`."""

from __future__ import annotations

import sys

from framebus.invocation.arguments import hide_sources
from framebus.invocation.ending import run

from capture_daemon.command import capture

if __name__ == "__main__":
    hide_sources(sys.argv[1:])
    sys.exit(run(capture, name="framebus capture"))
