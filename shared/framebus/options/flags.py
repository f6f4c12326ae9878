"""Options that several commands have, from a table of their help: flag and environment variable."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])

Table = dict[str, tuple[str, str]]
"""By the option's name, as in the configuration: what its value is called, and its help."""


class Seconds(click.FloatRange):
    """A length of time in seconds, more than 0 (or 0 too, with `zero`) and at most a day."""

    name = "number of seconds"

    def __init__(self, *, zero: bool = False) -> None:
        super().__init__(min=0, max=86400, min_open=not zero)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds; nan is below and above nothing, and would wait for ever."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail("nan is no number of seconds: write it as in 2.5", param, ctx)
        return seconds


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
