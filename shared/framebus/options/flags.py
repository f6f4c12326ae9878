"""The flags that click gives a command, made from the table of options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from framebus import units
from framebus.errors import UsageError
from framebus.options.chosen import Chosen
from framebus.options.option import Option, Scope
from framebus.options.table import TABLE

Command = TypeVar("Command", bound=Callable[..., object])


class Seconds(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no parameter
    """A length of time in seconds, more than 0 (or 0 too, with `zero`) and at most a day."""

    name = "number of seconds"

    def __init__(self, *, zero: bool = False) -> None:
        self._zero = zero

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        try:
            return units.seconds(value, zero=self._zero)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Sections(click.Command):
    """A command whose --help lists the options of the two sides apart."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of both sides first."""
        scopes = {option.name: option.scope for option in TABLE}
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for each in self.get_params(ctx):
            scope = scopes.get(each.name or "", Scope.BOTH)
            title = "Options" if scope is Scope.BOTH else f"Options of {scope.value}"
            if record := each.get_help_record(ctx):
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def of(*scopes: Scope) -> Callable[[Command], Command]:
    """Return a decorator that gives a click command the options of these scopes."""

    def add(command: Command) -> Command:
        for each in reversed(TABLE):
            if each.flagged and each.of(*scopes):
                command = flag(each)(command)
        return command

    return add


def flag(option: Option[Any], text: str | None = None) -> Callable[[Command], Command]:
    """Return a decorator that gives a click command one option; `text` replaces its help."""
    repeated = " May be repeated." if option.repeated else ""
    default = f" [default: {option.default_text}]" if option.default_text else ""
    return click.option(
        option.flag,
        envvar=option.variable,
        show_envvar=True,
        metavar=option.kind.metavar,
        multiple=option.repeated,
        help=text or f"{option.help}{repeated}{default}",
    )


def own(command: str, *names: str, **attributes: Any) -> Callable[[Command], Command]:
    """Return a decorator that gives a command an option that no other has, and a variable for it.

    `names` and `attributes` are those of click.option.
    """
    long = next(name for name in names if name.startswith("--"))
    variable = f"FRAMEBUS_{command}_{long.removeprefix('--')}".upper().replace("-", "_")
    return click.option(*names, envvar=variable, show_envvar=True, **attributes)


def chosen(given: Mapping[str, Any]) -> Chosen:
    """Return what the running command's options and their file say; raises what `Chosen.of` does.

    `given` are click's, by name: of a flag, else of its variable.
    """
    context = click.get_current_context()
    by_variable = (
        name for name in given if context.get_parameter_source(name) is ParameterSource.ENVIRONMENT
    )
    return Chosen.of(given, frozenset(by_variable))
