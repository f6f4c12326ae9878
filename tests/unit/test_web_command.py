from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from framebus.errors import BadCameraName, UsageError
from framebus.options.chosen import Chosen
from framebus.options.file import File, parse
from framebus.options.table import IO_URING

from web_workers.command import environment
from web_workers.settings import Settings

ENVIRON = {"FRAMEBUS_RUNTIME_DIR": "/run/x"}


def chosen(*, file: File | None = None, **given: Any) -> dict[str, str]:
    return environment(Chosen(given, file or File()), ENVIRON)


def test_defaults_are_left_to_whoever_reads_the_environment() -> None:
    found = chosen()
    assert not {"FRAMEBUS_BIND", "FRAMEBUS_WORKERS"} & set(found)
    assert found["FRAMEBUS_NAME"] == "camera"
    assert found["FRAMEBUS_RUNTIME_DIR"] == "/run/x"


def test_a_flag_wins_over_the_file_and_the_file_over_the_default() -> None:
    file = parse('bind = "127.0.0.1:9000"\nworkers = 3\nname = "front"', "x.toml")
    found = chosen(file=file, workers="4")
    assert found["FRAMEBUS_BIND"] == "127.0.0.1:9000"
    assert found["FRAMEBUS_WORKERS"] == "4"
    assert found["FRAMEBUS_NAME"] == "front"


def test_cameras_of_a_file_are_known_in_its_order_and_those_of_up_win() -> None:
    file = parse("[camera.right]\n[camera.left]", "x.toml")
    found = chosen(file=file)
    assert Settings.from_environ(found).configured == ("right", "left")
    found = environment(Chosen(file=file), {**ENVIRON, "FRAMEBUS_CAMERAS": "left"})
    assert Settings.from_environ(found).configured == ("left",)
    with pytest.raises(BadCameraName):
        environment(Chosen(file=file), {**ENVIRON, "FRAMEBUS_CAMERAS": "left ../x"})


@pytest.mark.parametrize("count", ["0", "-1", "many", "65", ""])
def test_a_number_of_workers_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(UsageError, match="no number of processes from 1 to 64"):
        chosen(workers=count)


def test_a_bad_camera_name_is_refused() -> None:
    with pytest.raises(BadCameraName):
        chosen(name="../x")


def test_a_runtime_directory_in_which_no_daemon_can_serve_is_refused() -> None:
    environ = {"FRAMEBUS_RUNTIME_DIR": f"/run/{'x' * 100}"}
    with pytest.raises(UsageError, match="set FRAMEBUS_RUNTIME_DIR to a shorter one"):
        environment(Chosen(), environ)
    with pytest.raises(UsageError, match="set FRAMEBUS_RUNTIME_DIR to a shorter one"):
        Settings.from_environ(environ)


def test_limits_come_from_flag_and_file_and_are_checked() -> None:
    file = parse('max_viewers = 50\nmax_rate = "10M"', "x.toml")
    found = chosen(file=file, max_viewers="7")
    assert found["FRAMEBUS_MAX_VIEWERS"] == "7"
    assert found["FRAMEBUS_MAX_RATE"] == "10M"
    for option in ("max_viewers", "max_rate_per_address"):
        with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}: 'many'"):
            chosen(file=None, **{option: "many"})


def test_io_uring_is_used_unless_it_is_switched_off() -> None:
    assert chosen(file=parse('io_uring = "off"', "x"))["FRAMEBUS_IO_URING"] == "off"
    with pytest.raises(UsageError, match="--io-uring: 'no' means nothing here: use auto or off"):
        chosen(io_uring="no")
    environ = {**ENVIRON, "FRAMEBUS_IO_URING": "off"}
    found = [Settings.from_environ(each).options[IO_URING] for each in (ENVIRON, environ)]
    assert found == ["auto", "off"]


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


def test_a_password_that_is_asked_of_nobody_is_told_and_checked_all_the_same(
    runtime: Path, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    done = _run("--check", "--password-file", str(file))
    assert done.returncode == os.EX_USAGE
    assert f"there is no file {file}" in done.stderr
    file.write_text("a password\n")
    file.chmod(0o600)
    done = _run("--check", "--password-file", str(file))
    assert done.returncode == 0
    assert "--view token asks for it" in done.stderr
