"""`framebus ctl lend`: the command runs with the device, and the camera always comes back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from framebus.cli.lend import TIME_IS_UP, lend
from framebus.control.client import ControlClient
from framebus.errors import CameraAbsent, ControlTimeout, FramebusError, UsageError
from framebus.units import duration_s


class Client(ControlClient):
    def __init__(self, codes: list[str]) -> None:
        self.codes = codes
        self.calls: list[str] = []
        self.lent: Mapping[str, object] | None = None
        self.given_back: Mapping[str, object] | None = None
        self.failure: FramebusError | None = None

    def call(self, method: str, params: Mapping[str, object] | None = None, **_: object) -> object:
        self.calls.append(method)
        match method:
            case "lend":
                self.lent = params
                return {"state": "lent", "device": "/dev/video7", "lease": "7a"}
            case "status":
                return {"cause": {"code": self.codes.pop(0) if self.codes else "closing"}}
        self.given_back = params
        if self.failure is not None:
            raise self.failure
        return {"state": "opening", "given_back": True}


@pytest.fixture
def said() -> list[str]:
    return []


def python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import os, sys, time; {code}"]


def test_the_command_finds_the_device_once_it_is_free(said: list[str]) -> None:
    client = Client(["closing", "closing", "lent"])
    code = "sys.exit(os.environ['FRAMEBUS_DEVICE'] != '/dev/video7')"
    assert lend(client, python(code), 60.0, say=said.append) == 0
    assert client.lent == {"seconds": 60.0, "to": os.path.basename(sys.executable)}
    assert client.calls == ["lend", "status", "status", "status", "give_back"]
    assert client.given_back == {"lease": "7a"}
    assert said == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (python("sys.exit(3)"), 3),
        (python("os.kill(os.getpid(), 9)"), 137),
    ],
)
def test_the_camera_comes_back_however_the_command_ends(
    command: list[str], expected: int, said: list[str]
) -> None:
    client = Client(["lent"])
    assert lend(client, command, 60.0, say=said.append) == expected
    assert client.calls[-1] == "give_back"


def test_the_camera_comes_back_from_a_program_that_does_not_start(
    tmp_path: Path, said: list[str]
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/absent/interpreter\n")
    program.chmod(0o755)
    client = Client(["lent"])
    assert lend(client, [str(program)], 60.0, say=said.append) == 127
    assert client.calls[-1] == "give_back"


@pytest.mark.parametrize("word", ["/absent/program", "seconds=5"])
def test_a_program_that_is_not_there_is_lent_nothing(word: str, said: list[str]) -> None:
    client = Client([])
    assert lend(client, [word, "to=me"], 60.0, say=said.append) == 127
    assert said == [f"cannot run {word}: there is no such program (lend --for 60s -- COMMAND)"]
    assert client.calls == []


def test_a_command_that_takes_too_long_is_ended(said: list[str]) -> None:
    client = Client(["lent"])
    assert lend(client, python("time.sleep(600)"), 0.2, say=said.append) == TIME_IS_UP
    assert "the time is over" in said[0]
    assert client.calls[-1] == "give_back"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_the_camera_comes_back(
    number: signal.Signals, said: list[str]
) -> None:
    client = Client(["lent"])
    usual = signal.getsignal(number)
    ends_it = python(f"os.kill(os.getppid(), {int(number)}); time.sleep(600)")
    with pytest.raises(SystemExit) as ended:
        lend(client, ends_it, 60.0, say=said.append)
    assert ended.value.code == 128 + number
    assert client.calls[-1] == "give_back"
    assert signal.getsignal(number) == usual


def test_the_time_runs_from_the_call_as_it_does_for_the_daemon(said: list[str]) -> None:
    clock = [1000.0]
    client = Client(["closing", "lent"])

    def sleep(seconds: float) -> None:
        clock[0] += 5.0

    code = python("time.sleep(600)")
    lent = lend(client, code, 5.0, say=said.append, sleep=sleep, now_s=lambda: clock[0])
    assert lent == TIME_IS_UP


@pytest.mark.parametrize("failure", [ControlTimeout("no answer"), CameraAbsent("it has ended")])
def test_a_daemon_that_cannot_be_asked_at_the_end_is_no_error(
    failure: FramebusError, said: list[str]
) -> None:
    client = Client(["lent"])
    client.failure = failure
    assert lend(client, python("sys.exit(3)"), 60.0, say=said.append) == 3


def test_a_daemon_that_does_not_let_go_is_one_by_the_clock_that_is_given(said: list[str]) -> None:
    clock = [1000.0]
    client = Client([])

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    with pytest.raises(FramebusError, match="has not let go"):
        lend(client, python("pass"), 60.0, say=said.append, sleep=sleep, now_s=lambda: clock[0])
    assert clock[0] == pytest.approx(1010.0, abs=0.1)
    assert client.calls[-1] == "give_back"


def test_without_a_command_nothing_is_lent(said: list[str]) -> None:
    client = Client([])
    with pytest.raises(UsageError, match="behind --"):
        lend(client, [], 60.0, say=said.append)
    assert client.calls == []


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("2", 2), ("1.5h", 5400)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-5s", "0", "5 days", "1e9", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no time"):
        duration_s(text)
