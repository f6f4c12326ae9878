"""`framebus ctl`: one control call to a camera's daemon, its reply for people or as JSON."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click

from framebus.cli import choice, polling, render, render_diagnosis
from framebus.cli.lend import lend
from framebus.contract.methods import METHODS, RESETS
from framebus.control import protocol
from framebus.control.client import DEFAULT_TIMEOUT_S, ControlClient
from framebus.errors import CommandRefused, NoPermission, UsageError
from framebus.invocation import ending, output, tables, typed
from framebus.names import CameraNames
from framebus.options import flags
from framebus.spelling import nearest, quoted
from framebus.units import duration_s

_TEXTS: Mapping[str, Callable[[object], str]] = {
    "status": lambda result: render.status(result, time.time_ns()),
    "formats": render.formats,
    "controls": render.controls,
    "holders": lambda result: render_diagnosis.holders(result, time.time_ns()),
    "incidents": render_diagnosis.incidents,
}
"""How results are told to people; any other is an outline."""

_EXIT_CODES: Mapping[int, int] = {
    protocol.INVALID_PARAMS: os.EX_USAGE,
    protocol.METHOD_NOT_FOUND: os.EX_USAGE,
    protocol.HELD: os.EX_TEMPFAIL,
}
"""Exit codes by the daemon's error code, where they say more than "unavailable"."""

_HELP = "\n".join(
    [
        "Call one METHOD of a camera's capture daemon.",
        "",
        "\b",
        *(f"  {name:<13} {method.does}" for name, method in METHODS.items()),
        "",
        "\b",
        "  framebus ctl status",
        "  framebus ctl configure size=1920x1080 fps=15 --name front",
        "  framebus ctl controls --json | jq .",
        "  framebus ctl lend --for 2m -- sh -c 'fswebcam -d $FRAMEBUS_DEVICE big.jpg'",
        "",
        "A value that is a JSON text (15, true, null) is sent as such, any other as a string.",
    ]
)


class _MethodName(click.Choice[str]):
    """One of the methods; an unknown one gets the nearest."""

    def __init__(self) -> None:
        super().__init__(list(METHODS))

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the method's name."""
        name = str(value)
        if name not in METHODS:
            what = f"there is no method {quoted(name)}" if quoted(name) else "that is no method"
            self.fail(f"{what}{nearest(name, METHODS)}", param, ctx)
        return name


@click.command(help=_HELP)
@click.argument("method", metavar="METHOD", type=_MethodName())
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1)
@flags.own(
    "ctl",
    "--for",
    "lasting",
    metavar="TIME",
    help="For lend: how long at most, as in 90s or 5m. [default: 60s]",
)
@flags.own(
    "ctl", "--rung", metavar="RUNG", help=f"For reset: {', '.join(RESETS[:-1])} or {RESETS[-1]}."
)
@choice.option
@flags.own(
    "ctl",
    "--timeout",
    type=flags.Seconds(),
    default=DEFAULT_TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the reply.",
)
@flags.own(
    "ctl", "--json", "as_json", is_flag=True, help="Print the reply's result as JSON, as it came."
)
def ctl(
    method: str,
    params: tuple[str, ...],
    lasting: str | None,
    rung: str | None,
    name: str | None,
    timeout: float,
    as_json: bool,
) -> int | None:
    """Make the call and print its result; `_HELP` is for people."""
    words = ("ctl", method)
    if method == "lend" and rung is None:
        seconds = duration_s(lasting or "60s")
        with _calling(choice.choose(name, words), name, words, timeout) as client:
            return lend(client, params, seconds, say=_say)
    arguments = _arguments(method, params, lasting, rung)
    with _calling(choice.choose(name, words), name, words, timeout) as client:
        result = _call(client, method, arguments)
    if as_json:
        output.say_json(result)
    else:
        output.say(
            typed.remedies(typed.for_camera(_TEXTS.get(method, tables.outline)(result), name))
        )
    return None


def _arguments(
    method: str, params: tuple[str, ...], lasting: str | None, rung: str | None
) -> dict[str, object]:
    """Return the call's params. Raises UsageError."""
    if lasting is not None and method != "lend":
        raise UsageError(f"--for is for lend, not for {method}")
    if rung is None:
        return parse_params(params)
    if method != "reset":
        raise UsageError(f"--rung is for reset, not for {method}")
    return parse_params((*params, f"rung={rung}"))


@contextmanager
def _calling(
    names: CameraNames, name: str | None, words: tuple[str, ...], timeout_s: float
) -> Iterator[ControlClient]:
    """Give a client; what the daemon refuses to it has an exit code by the reason.

    Where there is no daemon, it is said where there are others. `name` is what the person gave.
    """
    try:
        with (
            choice.explained(names, name, words),
            ControlClient(names, timeout_s=timeout_s) as client,
        ):
            yield client
    except NoPermission as error:
        raise NoPermission(f"{error}{choice.missing_group(names.control_socket)}") from error
    except CommandRefused as refusal:
        refusal.exit_code = _EXIT_CODES.get(refusal.code, refusal.exit_code)
        raise


def _say(line: str) -> None:
    ending.tell(f"framebus ctl lend: {line}")


def _call(client: ControlClient, method: str, arguments: dict[str, object]) -> object:
    if method == "set_controls":
        return polling.set_controls(client, arguments)
    if method == "configure":
        return polling.configure(client, arguments)
    if method == "holders":
        return polling.holders(client)
    return client.call(method, arguments)


def parse_params(texts: tuple[str, ...]) -> dict[str, object]:
    """Return KEY=VALUE texts as a params object; raises UsageError."""
    params: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            what = repr(text) if text.isidentifier() else "one here"  # it may be a camera's URL
            raise UsageError(f"parameters are KEY=VALUE, for example fps=15: {what} is not")
        if key in params:
            raise UsageError(f"{key!r} is given twice")
        params[key] = _value(value)
    return params


def _value(text: str) -> object:
    try:
        return json.loads(text, parse_constant=protocol.no_constant)
    except (ValueError, RecursionError):
        return text
