"""`python -m capture_daemon` is `framebus capture`."""

from __future__ import annotations

import sys

import click
from framebus import printable
from framebus.cli import usage
from framebus.cli.arguments import hide_sources
from framebus.errors import FramebusError

from capture_daemon.command import capture


def main() -> int:
    """Run the command and turn every expected failure into one line and its exit code."""
    hide_sources(sys.argv[1:])
    try:
        return int(capture.main(standalone_mode=False) or 0)
    except FramebusError as error:
        sys.stderr.write(f"framebus: {printable.line(str(error))}\n")
        return error.exit_code
    except click.ClickException as error:
        usage.show(error)
        return 64
    except click.Abort:
        return 130


if __name__ == "__main__":
    sys.exit(main())
