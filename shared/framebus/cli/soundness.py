"""Asks the children of `framebus up` whether their options are sound, without starting them.

Only a child knows what a source may be, and it takes one a second to say so. So `up` asks when
something of this machine stands in the way: then, too, a wrong source is what a person hears of.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping

from framebus import printable
from framebus.cli.child import Part


def refused(parts: Iterable[Part], environ: Mapping[str, str], say: Callable[[str], None]) -> bool:
    """Whether one of the children refuses its options; `say` gets what it says.

    Any other trouble that a child has is no matter of its options.
    """
    for part in parts:
        done = subprocess.run(
            [*part.command, "--check"],
            env=part.environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode == os.EX_USAGE:
            say(printable.lines(done.stderr.rstrip()))
            return True
    return False
