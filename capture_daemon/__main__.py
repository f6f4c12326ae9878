"""`python -m capture_daemon` is `framebus capture` (program.py).

Here it says what is not to be loaded before it is used, which must come before everything else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from framebus.deferred_imports import called, defer


class _NoDecimal:
    """What fractions asks whether a number is one: none is here."""


UNUSED: Final[Mapping[str, Mapping[str, Any]]] = {
    "bz2": {},
    "datetime": called("datetime", "timedelta"),
    "decimal": {"Decimal": _NoDecimal},
    "inspect": {},
    "locale": {},
    "lzma": {},
    "secrets": {},
    "shutil": {},
    "subprocess": called("subprocess", "_args_from_interpreter_flags", "check_output"),
    "tempfile": {},
    "tokenize": {},
}
"""What the standard library imports and a daemon does not use, or seldom."""


if __name__ == "__main__":
    defer(UNUSED)
    from capture_daemon.program import main

    sys.exit(main())
