"""Environment variables that mean nothing: one that is ignored costs somebody an evening."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import click

from framebus.options.table import CAMERAS
from framebus.spelling import closest

PREFIX = "FRAMEBUS_"
BESIDES = frozenset(
    {
        "FRAMEBUS_DEVICE",
        "FRAMEBUS_KEPT",
        "FRAMEBUS_PRIVILEGED_SOCKET",
        "FRAMEBUS_RUNTIME_DIR",
        "FRAMEBUS_STATE_DIR",
        CAMERAS.variable,
    }
)
"""Variables that no flag of a command has."""


def of(command: click.Command) -> set[str]:
    """Return the variables of a command's options."""
    named = (each.envvar for each in command.params)
    return {variable for variable in named if isinstance(variable, str)}


def unknown(
    environ: Mapping[str, str], own: Iterable[str], all_known: Callable[[], set[str]]
) -> list[str]:
    """Return a sentence for each variable that looks like one of ours and is none.

    `own` are those of the command that is run; `all_known` finds those of all commands, which takes
    longer and is asked for only where there are more.
    """
    strange = {name for name in environ if name.startswith(PREFIX)} - BESIDES - set(own)
    if not strange:
        return []
    known = all_known() | BESIDES
    words = [name.removeprefix(PREFIX) for name in known]
    return [
        f"the variable {name} means nothing: {_meant(name, words)}"
        for name in sorted(strange - known)
    ]


def _meant(name: str, words: Iterable[str]) -> str:
    meant = closest(name.removeprefix(PREFIX), words)
    if meant is None:
        return "`framebus COMMAND --help` names those that do"
    return f"did you mean {PREFIX}{meant}?"
