"""Options that are flags and values and no more: read without click, to the same end."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest
from framebus.errors import UsageError
from framebus.options import flags
from framebus.options.chosen import Chosen
from framebus.options.option import Option, Scope
from framebus.options.table import TABLE

SCOPES = (Scope.CAPTURE, Scope.BOTH)


def by_click(words: list[str]) -> Chosen:
    """Return what click has of the words and the environment."""

    @click.command()
    @flags.of(*SCOPES)
    def command(**given: object) -> Chosen:
        return flags.chosen(given)

    chosen = command.main(words, standalone_mode=False)
    assert isinstance(chosen, Chosen)
    return chosen


def place(chosen: Chosen, option: Option[Any]) -> str:
    """Return where an option stands, as a complaint says it."""
    with pytest.raises(UsageError) as error, chosen.naming(option):
        raise UsageError("wrong")
    return str(error.value)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--size", "1280x720", "--fps", "30"],
        ["--size", "1x1", "--size", "1280x720"],
        ["--name", "--front"],
        ["--source", ""],
        ["--size", "nonsense"],
    ],
    ids=" ".join,
)
def test_plain_words_and_variables_mean_what_they_mean_to_click(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"FRAMEBUS_FPS": "15", "FRAMEBUS_SOURCE": "test", "FRAMEBUS_RING_SIZE": ""}
    environ["FRAMEBUS_BIND"] = "0.0.0.0:80"  # the web tier's
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    plain, clicked = Chosen.plainly(words, environ, *SCOPES), by_click(words)
    assert plain is not None
    for option in TABLE:
        assert plain.is_given(option) == clicked.is_given(option)
        assert plain.given.get(option.name) == clicked.given.get(option.name)
        assert place(plain, option) == place(clicked, option)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--check"], ["--size"], ["--size=1x1"], ["--siz", "1x1"], ["--bind", ":80"]],
    ids=" ".join,
)
def test_what_is_more_than_flags_and_values_is_left_to_click(words: list[str]) -> None:
    assert Chosen.plainly(words, {}, *SCOPES) is None


def test_a_daemon_with_flags_and_values_starts_without_click() -> None:
    program = (
        "import runpy, sys; sys.modules['click'] = None\n"
        "sys.argv = ['', '--source', 'test', '--control-group', 'nosuch']\n"
        "runpy.run_module('capture_daemon', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 64
    assert done.stderr.startswith("framebus: --control-group: there is no group 'nosuch'")
