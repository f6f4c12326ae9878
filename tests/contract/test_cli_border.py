"""The command as a whole: finding sub-commands, help, and what ends with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from importlib.metadata import EntryPoint, version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from framebus.cli import main as cli
from framebus.cli.main import framebus
from framebus.errors import CameraHeld, NoPermission
from framebus.invocation.usage import run
from framebus.names import CameraNames

from tests.fakes.control_server import reply, server
from tests.helpers.locks import lock_held
from tests.rigs.numbered_frames import publishing

COMMANDS = {"capture", "ctl", "devices", "ls", "snapshot", "tap", "up", "web"}
ACTIONS = {"check"}
"""Options that say what to do this once: nobody would want them from a variable."""


def install(monkeypatch: pytest.MonkeyPatch, **commands: str) -> None:
    """Make these the only installed commands: name to "module:attribute"."""
    entries = [EntryPoint(name, value, "framebus.commands") for name, value in commands.items()]
    monkeypatch.setattr(cli, "OWN", {})
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: entries)


def test_our_own_commands_are_those_that_are_registered() -> None:
    registered = metadata.distribution("framebus").entry_points.select(group="framebus.commands")
    assert {entry.name: entry.value for entry in registered} == cli.OWN


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(framebus, ["--version"], name="framebus") == 0
    assert capsys.readouterr().out == f"framebus, version {version('framebus')}\n"


def test_help_lists_commands_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(framebus, ["--help"], name="framebus") == 0
    text = capsys.readouterr().out
    listed = {line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line}
    assert listed >= COMMANDS
    assert "(unavailable)" not in text
    assert "framebus up --source test" in text
    assert "75 held by another process" in " ".join(text.split())


@pytest.mark.parametrize("command", sorted(COMMANDS - {"devices"}))  # a look, nothing to configure
def test_every_option_of_a_command_is_explained_and_has_its_variable(command: str) -> None:
    found = framebus.get_command(click.Context(framebus), command)
    assert found is not None
    options = [one for one in found.params if isinstance(one, click.Option)]
    assert options
    for option in options:
        assert option.help, option.name
        if option.name not in ACTIONS:
            assert str(option.envvar).startswith("FRAMEBUS_"), option.name
            assert option.show_envvar, option.name


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("command", [[], *([each] for each in sorted(COMMANDS | {"doctor"}))])
def test_help_fits_into_the_terminal(command: list[str], width: int) -> None:
    shown = CliRunner().invoke(framebus, [*command, "--help"], terminal_width=width).output
    assert shown.startswith("Usage: ")
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["--no-such-option"], "--no-such-option"),
        (["up", "--no-such-option"], "--no-such-option"),
        (["up", "--bind", "nonsense"], "--bind: 'nonsense'"),
        (["up", "--name", "Bad Name"], "'Bad Name' is no camera name"),
        (["up", "--config", "/no/such.toml"], "/no/such.toml"),
        (["ctl", "no_such_method"], "'no_such_method'"),
        (["ctl", "configure", "fps"], "'fps'"),
        (["ctl", "configure", "fps=1", "fps=2"], "'fps' is given twice"),
        (["ctl", "status", "--timeout", "0"], "--timeout"),
        (["tap", "--count", "0"], "--count"),
        (["tap", "--timeout", "nan"], "--timeout"),
        (["tap", "--timeout", "inf"], "--timeout"),
        (["snapshot", "-o", "x.jpg", "--timeout", "nan"], "--timeout"),
        (["ctk"], "did you mean 'ctl'"),
        (["stauts"], "framebus ctl status`"),
        (["set-controls"], "framebus ctl set_controls`"),
        (["ls", "extra"], "this command takes options only"),
        (["up", "extra"], "quote a value"),
        (["snap"], "did you mean 'snapshot'"),
        (["ctl", "statsu"], "did you mean 'status'"),
        (["ctl", "set-controls"], "did you mean 'set_controls'"),
        (["ctl", "status", "--tiemout", "2"], "Did you mean '--timeout'"),
        (["snapshot"], "--output"),
    ],
)
def test_wrong_usage_is_64_and_names_what_is_wrong(
    arguments: list[str], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(framebus, arguments, name="framebus") == os.EX_USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert names in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "http://user:s3cret@192.0.2.7/"],
        ["capture", "--source", "http://192.0.2.7/?user=x", "s3cret", "more"],
        ["ctl", "configure", "http://user:s3cret@192.0.2.7/"],
        ["ctl", "http://user:s3cret@192.0.2.7/"],
        ["http://user:s3cret@192.0.2.7/"],
        ["up", "--sorce=http://user:s3cret@192.0.2.7/"],
        ["up", "--name", "http://user:s3cret@192.0.2.7/"],
        ["up", "--bind", "http://user:s3cret@192.0.2.7/"],
        ["up", "--config", "http://user:a/s3cret@192.0.2.7/"],
        ["up", "--workers", "http://user:s3cret@192.0.2.7/"],
        ["capture", "--size", "rtsp://user:pass@s3cret@192.0.2.7/"],
        ["capture", "--fps", "http://user:s3cret@192.0.2.7/"],
        ["capture", "--ring-size", "http://user:s3cret@192.0.2.7/"],
    ],
)
def test_wrong_usage_never_shows_what_may_be_a_source(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(framebus, arguments, name="framebus") == os.EX_USAGE
    assert "s3cret" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["up", "--help"], ["ls"]])
def test_a_full_disk_is_74_and_one_sentence(runtime: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full, lock_held(CameraNames(runtime, "front")):
        command = [sys.executable, "-m", "framebus", *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == os.EX_IOERR
    assert "No space left on device" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_who_closes_the_pipe_has_read_enough(runtime: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed, lock_held(CameraNames(runtime, "front")):
        command = [sys.executable, "-m", "framebus", "ls"]
        ended = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 0
    assert b"Error" not in ended.stderr


def test_variable_that_means_nothing_is_told_and_another_commands_is_not(
    monkeypatch: pytest.MonkeyPatch, runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRAMEBUS_SORUCE", "test")
    monkeypatch.setenv("FRAMEBUS_WORKERS", "2")
    monkeypatch.setenv("FRAMEBUS_HOME", "/x")
    assert run(framebus, ["capture", "--check"], name="framebus") == 0
    assert capsys.readouterr().err == (
        "framebus: the variable FRAMEBUS_HOME means nothing: "
        "`framebus COMMAND --help` names those that do\n"
        "framebus: the variable FRAMEBUS_SORUCE means nothing: did you mean FRAMEBUS_SOURCE?\n"
    )


@pytest.mark.parametrize("arguments", [["ls"], ["ctl", "status"], ["snapshot", "-o", "-"]])
def test_without_a_standard_output_nothing_is_written_elsewhere(
    runtime: Path, arguments: list[str]
) -> None:
    def answer(asked: bytes) -> list[bytes]:
        return [reply(asked, result={})]

    command = [sys.executable, "-m", "framebus", *arguments]
    with publishing(runtime), server(CameraNames(runtime), answer), lock_held(CameraNames(runtime)):
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, timeout=60
        )
    assert (done.returncode, b"Traceback" in done.stderr) == (os.EX_IOERR, False)
    assert b"it is closed" in done.stderr


def test_command_whose_packages_are_missing_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, web="no_such_module:web", up="framebus.cli.up:up")
    assert run(framebus, ["web"], name="framebus") == os.EX_UNAVAILABLE
    assert capsys.readouterr().err.endswith("-m pip install no_such_module\n")
    assert run(framebus, ["--help"], name="framebus") == 0
    text = capsys.readouterr().out
    assert "(unavailable)" in text
    assert "Run the capture daemon and the web tier" in text


@pytest.mark.parametrize(
    ("error", "code"), [(CameraHeld("pid 7 has it", 7), 75), (NoPermission("not yours"), 77)]
)
def test_framebus_errors_are_one_line_and_their_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def fail() -> None:
        raise error

    assert run(fail, [], name="fail") == code
    assert capsys.readouterr().err == f"framebus: {error}\n"


def test_ctrl_c_is_130_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert run(interrupted, [], name="x") == 130
    assert "Traceback" not in capsys.readouterr().err


def test_commands_of_one_side_import_neither_the_other_nor_the_web_framework(
    runtime: Path,
) -> None:
    program = (
        "import sys; from framebus.cli.main import framebus\n"
        "from framebus.invocation.usage import run\n"
        "run(framebus, ['ctl', '--help'], name='framebus')\n"
        "print([m for m in ('capture_daemon', 'web_workers', 'flask') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert output.splitlines()[-1] == "[]"


def test_closed_pipe_ends_help_without_a_word() -> None:
    program = "import sys, framebus.cli.main as m; sys.stdin.read(); m.main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "--help"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
