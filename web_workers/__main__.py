"""`python -m web_workers` is `framebus web`."""

from __future__ import annotations

import sys

from framebus.invocation.usage import run

from web_workers.command import web

if __name__ == "__main__":
    sys.exit(run(web, name="framebus web"))
