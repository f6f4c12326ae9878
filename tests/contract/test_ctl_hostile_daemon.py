"""`framebus ctl` with a daemon that is somebody else's, and answers what it likes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from framebus.cli.main import framebus
from framebus.contract.methods import METHODS
from framebus.invocation.usage import run
from framebus.names import CameraNames

from tests.fakes.control_server import reply, server

EVIL = "\x1b]0;title\x07\x9b31m\u202e\nframebus: made up\r"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
NUMBERS = (1e308, -1e308, 10**100, -1, True)


def document() -> dict[str, object]:
    """Every key that a person is shown, with text of an attacker or an unlikely number."""
    keys = (
        *("camera", "state", "pid", "cause", "remedy", "message", "code", "source", "frames"),
        *("ring", "recovery", "rung", "next", "fallback", "spec", "device", "rejected", "granted"),
        *("fourcc", "width", "name", "value", "default", "flags", "menu", "min", "max", "note"),
    )
    times = ("began_utc_ns", "ended_utc_ns", "since_utc_ns", "started_utc_ns", "away_s", "utc_ns")
    lists = ("controls", "formats", "sizes", "holders", "incidents", "notes", "tried", "kernel_log")
    inner: dict[str, object] = dict.fromkeys(keys[6:], EVIL) | {
        EVIL: EVIL,
        "menu": {EVIL: EVIL},
        "notes": [EVIL],
    }
    inner["sizes"] = [{"fps": EVIL}]
    inner |= {key: NUMBERS[number % len(NUMBERS)] for number, key in enumerate(times)}
    found: dict[str, object] = dict.fromkeys(keys, inner)
    found |= dict.fromkeys(keys[:6], EVIL)
    found |= {key: NUMBERS[number % len(NUMBERS)] for number, key in enumerate(times)}
    found |= {key: [inner, EVIL, 5] for key in lists}
    return found | {EVIL: EVIL}


@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"lend", "holders", "set_controls"}))
def test_nothing_that_it_answers_orders_a_terminal_about(
    runtime: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(CameraNames(runtime), lambda asked: [reply(asked, result=document())]):
        assert run(framebus, ["ctl", method], name="framebus") == 0
    out = capsys.readouterr().out
    assert "title" in out
    assert not RAW.search(out)
    assert "\nframebus: made up" not in out


def test_its_errors_are_one_harmless_line(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"code": -32003, "message": EVIL + "x" * 50_000}
    with server(CameraNames(runtime), lambda asked: [reply(asked, error=error)]):
        assert run(framebus, ["ctl", "stop"], name="framebus") != 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert len(said) < 5000
    assert not RAW.search(said)


def test_as_json_it_is_what_the_daemon_said_with_escapes(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"camera": EVIL, "picture": "é 🎥", EVIL: 1}
    with server(CameraNames(runtime), lambda asked: [reply(asked, result=said)]):
        assert run(framebus, ["ctl", "status", "--json"], name="framebus") == 0
    out = capsys.readouterr().out
    assert json.loads(out) == said
    assert "é 🎥" in out
    assert not RAW.search(out)
