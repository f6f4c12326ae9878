"""Options that several commands have, from a table of their help: flag and environment variable."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])

Table = dict[str, tuple[str, str]]
"""By the option's name, as in the configuration: what its value is called, and its help."""


def add(command: Command, table: Table, *, repeated: Collection[str] = ()) -> Command:
    """Give a click command the options of a table; those in `repeated` may be given repeatedly."""
    for name, (metavar, text) in reversed(table.items()):
        command = click.option(
            f"--{name.replace('_', '-')}",
            envvar=variable(name),
            show_envvar=True,
            metavar=metavar,
            multiple=name in repeated,
            help=text,
        )(command)
    return command


def variable(option: str) -> str:
    """Return the environment variable of an option. One that may be repeated has spaces in it."""
    return f"FRAMEBUS_{option.upper()}"
