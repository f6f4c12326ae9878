"""Environment variables that are misspelt: one that is ignored costs somebody an evening."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import click

from framebus.spelling import closest

PREFIX = "FRAMEBUS_"
BESIDES = frozenset(
    {
        "FRAMEBUS_DEVICE",
        "FRAMEBUS_KEPT",
        "FRAMEBUS_PRIVILEGED_SOCKET",
        "FRAMEBUS_RUNTIME_DIR",
        "FRAMEBUS_STATE_DIR",
    }
)
"""Variables that no option has."""


def of(command: click.Command) -> set[str]:
    """Return the variables of a command's options."""
    named = (each.envvar for each in command.params)
    return {variable for variable in named if isinstance(variable, str)}


def misspelt(
    environ: Mapping[str, str], own: Iterable[str], all_known: Callable[[], set[str]]
) -> list[str]:
    """Return a sentence for each variable that is nearly one of ours.

    `own` are those of the command that is run; `all_known` finds those of all commands, which takes
    longer and is asked for only where there are more.
    """
    strange = {name for name in environ if name.startswith(PREFIX)} - BESIDES - set(own)
    if not strange:
        return []
    known = all_known() | BESIDES
    words = [name.removeprefix(PREFIX) for name in known]
    found = {name: closest(name.removeprefix(PREFIX), words) for name in sorted(strange - known)}
    return [
        f"the variable {name} means nothing: did you mean {PREFIX}{meant}?"
        for name, meant in found.items()
        if meant
    ]
