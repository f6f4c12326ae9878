"""The capture daemon under the keeper of `framebus up`, without a web tier.

python -m tests.guest.inside.supervised_capture OPTION…
"""

from __future__ import annotations

import os
import sys
import tempfile

from framebus.cli.part import Part
from framebus.cli.supervisor import Supervisor


def main(options: list[str]) -> int:
    """Run the daemon with these options and start it again, until a signal."""
    launch = [sys.executable, "-m", "framebus.cli.launch", str(os.getpid()), "capture_daemon"]
    return Supervisor(
        [Part("capture", [*launch, *options], keeps=tempfile.gettempdir())],
        environ=os.environ,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    ).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
