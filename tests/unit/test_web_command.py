from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from framebus.errors import BadCameraName, UsageError
from framebus.options.file import parse

from web_workers.command import choose
from web_workers.settings import Settings

NOTHING: dict[str, str | None] = {"bind": None, "workers": None, "name": None, "config": None}
ENVIRON = {"FRAMEBUS_RUNTIME_DIR": "/run/x"}


def test_defaults_are_loopback_and_two_workers_at_most() -> None:
    chosen = choose(NOTHING, parse("", "x"), ENVIRON)
    assert chosen["FRAMEBUS_BIND"] == "127.0.0.1:8080"
    assert chosen["FRAMEBUS_WORKERS"] in ("1", "2")
    assert chosen["FRAMEBUS_NAME"] == "camera"
    assert chosen["FRAMEBUS_RUNTIME_DIR"] == "/run/x"


def test_a_flag_wins_over_the_file_and_the_file_over_the_default() -> None:
    file = parse('bind = "127.0.0.1:9000"\nworkers = 3\nname = "front"', "x.toml")
    chosen = choose({**NOTHING, "workers": "4"}, file, ENVIRON)
    assert chosen["FRAMEBUS_BIND"] == "127.0.0.1:9000"
    assert chosen["FRAMEBUS_WORKERS"] == "4"
    assert chosen["FRAMEBUS_NAME"] == "front"


def test_cameras_of_a_file_are_known_in_its_order_and_those_of_up_win() -> None:
    file = parse("[camera.right]\n[camera.left]", "x.toml")
    chosen = choose(NOTHING, file, ENVIRON)
    assert Settings.from_environ(chosen).configured == ("right", "left")
    chosen = choose(NOTHING, file, {**ENVIRON, "FRAMEBUS_CAMERAS": "left"})
    assert Settings.from_environ(chosen).configured == ("left",)
    with pytest.raises(BadCameraName):
        choose(NOTHING, file, {**ENVIRON, "FRAMEBUS_CAMERAS": "left ../x"})


@pytest.mark.parametrize("count", ["0", "-1", "many", "65", ""])
def test_a_number_of_workers_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(UsageError, match="use a number from 1 to 64"):
        choose({**NOTHING, "workers": count}, parse("", "x"), ENVIRON)


def test_a_bad_camera_name_is_refused() -> None:
    with pytest.raises(BadCameraName):
        choose({**NOTHING, "name": "../x"}, parse("", "x"), ENVIRON)


def test_a_runtime_directory_in_which_no_daemon_can_serve_is_refused() -> None:
    environ = {"FRAMEBUS_RUNTIME_DIR": f"/run/{'x' * 100}"}
    with pytest.raises(UsageError, match="set FRAMEBUS_RUNTIME_DIR to a shorter one"):
        choose(NOTHING, parse("", "x"), environ)
    with pytest.raises(UsageError, match="set FRAMEBUS_RUNTIME_DIR to a shorter one"):
        Settings.from_environ(environ)


def test_limits_come_from_flag_and_file_and_are_checked() -> None:
    file = parse('max_viewers = 50\nmax_rate = "10M"', "x.toml")
    chosen = choose({**NOTHING, "max_viewers": "7"}, file, ENVIRON)
    assert chosen["FRAMEBUS_MAX_VIEWERS"] == "7"
    assert chosen["FRAMEBUS_MAX_RATE"] == str(10 << 20)
    assert chosen["FRAMEBUS_MAX_VIEWERS_PER_ADDRESS"] == "0"
    for option in ("max_viewers", "max_rate_per_address"):
        with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} 'many'"):
            choose({**NOTHING, option: "many"}, parse("", "x"), ENVIRON)


def test_io_uring_is_used_unless_it_is_switched_off() -> None:
    assert choose(NOTHING, parse("", "x"), ENVIRON)["FRAMEBUS_IO_URING"] == "auto"
    assert choose(NOTHING, parse('io_uring = "off"', "x"), ENVIRON)["FRAMEBUS_IO_URING"] == "off"
    with pytest.raises(UsageError, match="--io-uring 'no': use auto or off"):
        choose({**NOTHING, "io_uring": "no"}, parse("", "x"), ENVIRON)
    environ = {**ENVIRON, "FRAMEBUS_IO_URING": "off"}
    assert [Settings.from_environ(each).io_uring for each in (ENVIRON, environ)] == [True, False]


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "web_workers", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_port_in_use_is_one_line_and_exit_75(runtime: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _run("--bind", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == os.EX_TEMPFAIL
    assert "is in use by another program" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("bind", ["nonsense", "127.0.0.1:99999", "[::1"])
def test_an_address_that_is_none_is_exit_64(runtime: Path, bind: str) -> None:
    done = _run("--bind", bind)
    assert done.returncode == os.EX_USAGE
    assert "--bind" in done.stderr


@pytest.mark.parametrize(("mode", "code"), [(None, os.EX_USAGE), (0o644, os.EX_NOPERM)])
def test_a_secret_with_which_nobody_would_be_let_in_is_found_before_a_reload(
    runtime: Path, tmp_path: Path, mode: int | None, code: int
) -> None:
    file = tmp_path / "password"
    if mode is not None:
        file.write_text("a password\n")
        file.chmod(mode)
    done = _run("--check", "--view", "token", "--password-file", str(file))
    assert (done.returncode, done.stdout) == (code, "")
    assert str(file) in done.stderr


def test_a_password_that_is_asked_of_nobody_is_told(runtime: Path) -> None:
    done = _run("--check", "--password-file", "/no/such")
    assert done.returncode == 0
    assert "--view token asks for it" in done.stderr
