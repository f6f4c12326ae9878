"""gunicorn's master, as `framebus web` runs it: where it starts, and what it does not end for."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.waiting import until

REMOVE = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, sys.argv[1:])"


@contextmanager
def web(
    runtime: Path, directory: Path, *, removed: bool = False
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A web tier that is started in `directory`: its address once it listens, and its master."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        bind = f"127.0.0.1:{server.getsockname()[1]}"
    command = [sys.executable, "-P", "-m", "framebus", "web", "--bind", bind]
    if removed:
        command = [sys.executable, "-P", "-c", REMOVE, *command]
    log = runtime / "web.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--workers", "1"],
            cwd=directory,
            env={**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)},
            stderr=file,
        )
    try:
        found = until(
            lambda: re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", log.read_text()),
            within_s=60,
        )
        assert found is not None
        yield found[1], process
    finally:
        process.terminate()
        process.wait(30)
        assert "Traceback" not in log.read_text(), log.read_text()


def worker(url: str) -> int:
    """The process that answers."""
    with urllib.request.urlopen(f"{url}/cameras/camera/state", timeout=60) as response:
        return int(json.load(response)["viewers"]["worker"])


def test_modules_in_the_directory_of_its_start_are_not_imported(
    runtime: Path, tmp_path: Path
) -> None:
    for name in ("flask.py", "web_workers.py"):
        (tmp_path / name).write_text("raise RuntimeError('a file of somebody else')\n")
    with web(runtime, tmp_path) as (url, _):
        assert worker(url)


def test_it_starts_in_a_directory_that_was_removed(runtime: Path, tmp_path: Path) -> None:
    directory = tmp_path / "release"
    directory.mkdir()
    with web(runtime, directory, removed=True) as (url, _):
        assert worker(url)


def test_it_reloads_after_the_directory_of_its_start_was_removed(
    runtime: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "release"
    directory.mkdir()
    with web(runtime, directory) as (url, master):
        before = worker(url)
        directory.rmdir()
        master.send_signal(signal.SIGHUP)
        until(lambda: worker(url) != before, within_s=60)
        assert master.poll() is None


def test_it_goes_on_when_it_has_no_descriptor_for_another_worker(
    runtime: Path, tmp_path: Path
) -> None:
    with web(runtime, tmp_path) as (url, master):
        before = worker(url)
        usual = resource.prlimit(master.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(master.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
        os.kill(before, signal.SIGKILL)
        log = runtime / "web.log"
        until(lambda: "a worker cannot be started" in log.read_text(), within_s=60)
        assert master.poll() is None
        resource.prlimit(master.pid, resource.RLIMIT_NOFILE, usual)
        assert worker(url) != before


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o640), (0o007, 0o660), (0o077, 0o600)])
def test_a_unix_socket_has_the_mode_that_the_umask_leaves_and_is_not_for_others(
    runtime: Path, umask: int, mode: int
) -> None:
    path = runtime / "web.sock"
    log = runtime / "web.log"
    command = [sys.executable, "-P", "-m", "framebus", "web", "--bind", f"unix:{path}"]
    with (
        log.open("wb") as file,
        subprocess.Popen([*command, "--workers", "1"], stderr=file, umask=umask) as process,
    ):
        until(lambda: "Booting worker" in log.read_text(), within_s=60)
        assert path.stat().st_mode & 0o777 == mode
        process.send_signal(signal.SIGHUP)
        until(lambda: "Hang up" in log.read_text() or "hup" in log.read_text(), within_s=60)
        assert path.stat().st_mode & 0o777 == mode
        process.terminate()
