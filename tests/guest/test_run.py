"""`tests/guest/run`: status, output, and every way of not ending well."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.guest.cache import KERNELS
from tests.guest.conftest import leave_out, why_not
from tests.guest.machine import Ending, booted
from tests.guest.prepare import prepare
from tests.helpers.processes import children, name_of

RUN = Path(__file__).with_name("run")
pytestmark = [pytest.mark.guest, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True, scope="module")
def _guest_is_possible() -> None:
    if reason := why_not():
        leave_out(reason)
    prepare(KERNELS["stable"])


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where job folders go, to see that none is left."""
    yield tmp_path
    assert not list(tmp_path.iterdir())


def _run(temporary: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(RUN), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )


def test_output_comes_live_and_the_exit_status_is_passed_on(temporary: Path) -> None:
    command = "pwd; echo first; while [ ! -e /run/job/go ]; do sleep 0.1; done; exit 7"
    with _run(temporary, "sh", "-c", command) as run:
        assert run.stdout is not None
        assert run.stdout.readline().decode().strip() == os.getcwd()
        assert run.stdout.readline() == b"first\n"
        (job,) = temporary.iterdir()
        (job / "go").touch()
        assert run.wait(120) == 7


def test_a_kernel_panic_is_told_apart(temporary: Path) -> None:
    with _run(temporary, "sh", "-c", "echo c >/proc/sysrq-trigger") as run:
        _, errors = run.communicate(timeout=120)
        assert run.returncode == 126
        assert b"the guest panicked" in errors


def test_a_time_limit_is_told_apart(temporary: Path) -> None:
    with _run(temporary, "--limit", "2", "true") as run:
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 124
        assert b"the guest hung" in errors


def test_a_machine_that_cannot_start_is_lost() -> None:
    with booted(replace(KERNELS["stable"], name="missing"), ["true"]) as guest:
        for _ in guest.output():
            continue
        outcome = guest.outcome()
    assert outcome.ending is Ending.LOST


def _until_qemu_runs(pid: int) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in children(pid):
            if "qemu" in name_of(child):
                return child
        time.sleep(0.01)
    raise TimeoutError("QEMU did not start")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    with _run(tmp_path, "sleep", "600") as run:
        pidfd = os.pidfd_open(_until_qemu_runs(run.pid))
        run.send_signal(number)
        run.wait(30)
    deadline = time.monotonic() + 30
    try:
        while True:
            try:
                signal.pidfd_send_signal(pidfd, 0)
            except ProcessLookupError:
                break
            assert time.monotonic() < deadline, "QEMU outlived the runner"
            time.sleep(0.01)
    finally:
        os.close(pidfd)
    # A process that is SIGKILLed cannot tidy up its folder; the next run does.
    assert number == signal.SIGKILL or not list(tmp_path.iterdir())


def test_a_folder_that_a_killed_run_left_is_swept_by_the_next(tmp_path: Path) -> None:
    with _run(tmp_path, "sleep", "600") as run:
        _until_qemu_runs(run.pid)
        run.kill()
    assert len(list(tmp_path.iterdir())) == 1
    with _run(tmp_path, "--limit", "1", "true") as run:
        run.wait(60)
    assert not list(tmp_path.iterdir())
