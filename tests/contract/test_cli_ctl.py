"""`framebus ctl` against a daemon that answers as told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from framebus.cli.main import framebus
from framebus.invocation.usage import run
from framebus.names import CameraNames

from tests.fakes.control_server import reply, server
from tests.helpers.locks import lock_held_on


def ctl(*arguments: str) -> int:
    return run(framebus, ["ctl", *arguments], name="framebus")


def test_status_is_a_table_and_with_json_the_result_as_it_came(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {"camera": "front", "state": "stopped", "ring": {"size": 1048576}}
    with server(CameraNames(runtime, "front"), lambda asked: [reply(asked, result=document)]):
        assert ctl("status", "--name", "front") == 0
        text = capsys.readouterr().out
        assert ctl("--json", "status", "--name", "front") == 0
    assert "stopped for -" in text
    assert "1.0 MiB" in text
    assert json.loads(capsys.readouterr().out) == document


def test_parameters_are_json_where_they_can_be_and_text_where_not(runtime: Path) -> None:
    asked: list[object] = []

    def answer(message: bytes) -> list[bytes]:
        asked.append((json.loads(message)["method"], json.loads(message)["params"]))
        return [reply(message, result={"changed": True})]

    with server(CameraNames(runtime), answer):
        assert ctl("configure", "size=640x480", "fps=15", "source=file:/tmp/a=b.avi") == 0
        assert ctl("set_controls", "brightness=-5", "auto=true", "mode=null", "x=NaN") == 0
    assert asked == [
        ("configure", {"size": "640x480", "fps": 15, "source": "file:/tmp/a=b.avi"}),
        ("set_controls", {"brightness": -5, "auto": True, "mode": None, "x": "NaN"}),
    ]


def test_a_number_that_cannot_be_sent_is_wrong_usage_and_no_silence_of_the_daemon(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(CameraNames(runtime), lambda message: [reply(message, result={})]):
        assert ctl("configure", "fps=1e400") == os.EX_USAGE
    assert "numbers must be finite" in capsys.readouterr().err


def test_reset_takes_its_rung_as_an_option_and_no_other_method_does(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def answer(message: bytes) -> list[bytes]:
        asked.append((json.loads(message)["method"], json.loads(message)["params"]))
        return [reply(message, result={"state": "backoff"})]

    with server(CameraNames(runtime), answer):
        assert ctl("reset", "--rung", "usb-reset") == 0
    assert asked == [("reset", {"rung": "usb-reset"})]
    assert ctl("restart", "--rung", "usb-reset") == os.EX_USAGE
    assert "--rung is for reset" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("start",), ("--json", "start")])
def test_a_full_disk_is_74_and_no_traceback(runtime: Path, arguments: tuple[str, ...]) -> None:
    answer = {"state": "opening"}
    with (
        server(CameraNames(runtime), lambda asked: [reply(asked, result=answer)]),
        open("/dev/full", "wb") as full,
    ):
        done = subprocess.run(
            [sys.executable, "-m", "framebus", "ctl", "--timeout", "30", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == os.EX_IOERR
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_no_daemon_is_69_and_says_how_to_start_one(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ctl("status") == os.EX_UNAVAILABLE
    said = capsys.readouterr()
    assert "framebus up" in said.err
    assert said.out == ""


@pytest.mark.parametrize("call", [("set_controls", "glow=1"), ("lend", "--", "true")])
@pytest.mark.parametrize(
    ("code", "exit_code"),
    [(-32602, os.EX_USAGE), (-32002, os.EX_TEMPFAIL), (-32003, os.EX_UNAVAILABLE)],
)
def test_refusal_is_the_daemons_words_and_an_exit_code_that_fits(
    runtime: Path,
    capsys: pytest.CaptureFixture[str],
    call: tuple[str, ...],
    code: int,
    exit_code: int,
) -> None:
    error = {"code": code, "message": "no control 'glow'"}
    with server(CameraNames(runtime), lambda asked: [reply(asked, error=error)]):
        assert ctl(*call) == exit_code
    assert capsys.readouterr().err == "framebus: no control 'glow'\n"


def test_silent_daemon_is_a_timeout(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = CameraNames(runtime)
    with server(names, lambda asked: []), lock_held_on(names.lock):
        assert ctl("status", "--timeout", "0.1") == os.EX_TEMPFAIL
    assert "did not answer" in capsys.readouterr().err


def test_pending_controls_are_waited_for(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    methods: list[str] = []

    def answer(message: bytes) -> list[bytes]:
        methods.append(json.loads(message)["method"])
        if methods[-1] == "set_controls":
            return [reply(message, result={"applied": {}, "pending": ["gain"]})]
        pending = ["gain"] if len(methods) < 4 else []
        control = {"id": 1, "name": "gain", "value": 7}
        return [reply(message, result={"controls": [control], "pending": pending})]

    with server(CameraNames(runtime), answer):
        assert ctl("set_controls", "gain=7") == 0
    assert methods == ["set_controls", "controls", "controls", "controls"]
    assert capsys.readouterr().out == "applied.gain  7\npending       -\n"
