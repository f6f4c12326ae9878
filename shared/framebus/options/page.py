"""Writes the options for people to read: `python -m framebus.options.page`, in a checkout.

docs/options.md whole, and the comments of the keys in deploy/framebus.toml.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from framebus.options.option import Option, Scope
from framebus.options.table import TABLE

PAGE = Path("docs/options.md")
EXAMPLE = Path("deploy/framebus.toml")
_HEAD = """# Options

Written from the table in `shared/framebus/options/table.py`; do not edit: change the table and run
`python -m framebus.options.page`.

`framebus capture` has the options of each camera's daemon, `framebus web` those of the web tier,
and `framebus up` all of them. Each is a flag, a variable, and a key in the file that `--config`
names ([deploy/framebus.toml](../deploy/framebus.toml) is one). A flag wins over the variable, the
variable over the camera's table in the file, that over the top of the file, and that over the
default. What may be repeated is a list in the file, and has spaces in the variable.

What means nothing is named: a wrong value and an unknown key end the command with exit code 64, an
unknown `FRAMEBUS_…` variable is told.
"""
_TITLES = {
    Scope.BOTH: "Both",
    Scope.CAPTURE: "Each camera's daemon\n\nAt the top of the file they are for every camera; "
    "`[camera.front]` is the table of one.",
    Scope.WEB: "The web tier\n\nThey stand at the top of the file, and in no camera's table.",
}
_KEY = re.compile(r"(\w+) *=")


def reference() -> str:
    """Return docs/options.md."""
    parts = [_HEAD]
    for scope, title in _TITLES.items():
        rows = [_row(option) for option in TABLE if option.scope is scope]
        head = "| flag, key, variable | value | default | is |\n|---|---|---|---|\n"
        parts.append(f"## {title}\n\n{head}{''.join(rows)}")
    return "\n".join(parts)


def commented(toml: str) -> str:
    """Return a configuration file with the comment of each key, where that first stands, renewed.

    It is the lines directly above; other comments stay.
    """
    done: list[str] = []
    known = {option.name: option for option in TABLE if option.filed}
    for line in toml.splitlines():
        key = _KEY.match(line)
        if key and (option := known.pop(key[1], None)):
            while done and done[-1].startswith("#"):
                done.pop()
            done += _comment(option)
        done.append(line)
    return "\n".join(done) + "\n"


def _row(option: Option[Any]) -> str:
    flag, key = [option.flag] * option.flagged, [option.name] * option.filed
    names = " ".join(f"`{name}`" for name in (*flag, *key, option.variable))
    right = f"{option.kind.right}{'; may be repeated' if option.repeated else ''}"
    text = f"{option.help} {option.more}".strip()
    return f"| {names} | {right} | {option.default_text or '-'} | {text} |\n"


def _comment(option: Option[Any]) -> list[str]:
    default = f"; default: {option.default_text}" if option.default_text else ""
    text = f"{option.help} {option.more}".strip() + f" ({option.kind.right}{default})"
    return textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ")


if __name__ == "__main__":
    PAGE.write_text(reference())
    EXAMPLE.write_text(commented(EXAMPLE.read_text()))
