"""`python -m capture_daemon` is `framebus capture` (program.py).

Here it says what is not to be loaded before it is used, which must come before everything else.
"""

from __future__ import annotations

import sys

from framebus.deferred_imports import called, defer

UNUSED = {
    "bz2": {},
    "inspect": {},
    "locale": {},
    "lzma": {},
    "secrets": {},
    "subprocess": called("subprocess", "_args_from_interpreter_flags", "check_output"),
    "tokenize": {},
}
"""What the standard library imports and a daemon does not use, or seldom."""


if __name__ == "__main__":
    defer(UNUSED)
    from capture_daemon.program import main

    sys.exit(main())
