"""Waiting for holders and ending one of our own, with real processes and real lock files."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import OutOfResources
from framebus.liveness import holder
from framebus.names import device_lock

from capture_daemon.ownership.locks import Locks
from capture_daemon.recovery.holding import Holding
from capture_daemon.recovery.rungs import Result
from capture_daemon.sources.base import Interrupt
from tests.helpers.processes import alive

RDEV = os.makedev(81, 7)
HOLD = """
import sys
from pathlib import Path
from capture_daemon.ownership.locks import Locks
locks = Locks()
for path in sys.argv[1:]:
    locks.acquire(Path(path), "it")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locks(runtime: Path) -> Iterator[Locks]:
    """This process serves a camera, as a daemon does."""
    locks = Locks()
    locks.acquire(runtime / "camera.lock", "camera")
    yield locks
    locks.release_all()


def holding(runtime: Path, *pids: int) -> Holding:
    return Holding(
        runtime=runtime,
        own_lock=runtime / "camera.lock",
        find=lambda _: [pid for pid in pids if alive(pid)],
    )


class Other:
    """Another process, which has the locks given to it."""

    def __init__(self, *held: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, *map(str, held)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"held\n"

    @property
    def pid(self) -> int:
        return self.process.pid

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_holder_is_waited_for_until_its_end(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    with Other() as other:
        timer = threading.Timer(0.2, other.process.kill)
        timer.start()
        outcome = holding(runtime, other.pid).wait(RDEV, 20.0, interrupt)
        timer.join()
        assert (outcome.result, outcome.note) == (
            Result.DONE,
            f"process {other.pid} let go of it",
        )


def test_a_holder_that_lets_go_without_ending_is_noticed(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    answers = iter([[1], [1], []])
    own = runtime / "camera.lock"
    waiting = Holding(runtime=runtime, own_lock=own, find=lambda _: next(answers))
    assert waiting.wait(RDEV, 20.0, interrupt).result is Result.DONE


def test_waiting_ends_at_its_limit_and_at_an_interrupt(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    with Other() as other:
        outcome = holding(runtime, other.pid).wait(RDEV, 0.05, interrupt)
        assert (outcome.result, outcome.note) == (
            Result.NOTHING,
            f"process {other.pid} still has it",
        )
        interrupt.set()  # or it would wait for longer than a test may take
        assert holding(runtime, other.pid).wait(RDEV, 3600.0, interrupt).result is Result.NOTHING


def test_nobody_to_be_seen_is_no_reason_to_wait(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    assert holding(runtime).wait(RDEV, 60.0, interrupt).note == "nobody is seen to have it"


def test_the_devices_lock_names_a_holder_that_nobody_can_see(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    with Other(device_lock(runtime, RDEV)) as other:
        outcome = holding(runtime).wait(RDEV, 0.05, interrupt)
        assert outcome.note == f"process {other.pid} still has it"


def test_an_earlier_daemon_of_ours_is_ended(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    with Other(device_lock(runtime, RDEV)) as other:
        outcome = holding(runtime).end(RDEV, interrupt)
        assert (outcome.result, outcome.note) == (
            Result.DONE,
            f"process {other.pid} ended after SIGTERM",
        )


def test_a_daemon_that_serves_another_camera_is_never_ended(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    with Other(device_lock(runtime, RDEV), runtime / "back.lock") as other:
        assert holding(runtime, other.pid).end(RDEV, interrupt).result is Result.UNAVAILABLE
        assert alive(other.pid)


@pytest.mark.parametrize("hidden", ["back.lock", device_lock(Path(), RDEV).name])
def test_a_process_of_which_it_cannot_be_seen_whether_it_serves_a_camera_is_never_ended(
    runtime: Path, locks: Locks, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    def short(lock: Path) -> int:
        if lock.name == hidden:
            raise OutOfResources("no descriptor is left")
        return holder(lock)

    monkeypatch.setattr("capture_daemon.recovery.holding.holder", short)
    with Other(device_lock(runtime, RDEV), runtime / "back.lock") as other:
        assert holding(runtime, other.pid).end(RDEV, interrupt).result is Result.UNAVAILABLE
        assert alive(other.pid)


def test_a_holder_that_cannot_be_looked_for_is_not_said_to_be_nobody(
    runtime: Path, locks: Locks, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(lock: Path) -> int:
        raise OutOfResources("no descriptor is left")

    monkeypatch.setattr("capture_daemon.recovery.holding.holder", short)
    outcome = holding(runtime).wait(RDEV, 60.0, interrupt)
    assert (outcome.result, outcome.note) == (Result.NOTHING, "no descriptor is left")


def test_a_strangers_process_is_never_ended(
    runtime: Path, locks: Locks, interrupt: Interrupt
) -> None:
    with Other() as other:
        assert holding(runtime, other.pid).end(RDEV, interrupt).result is Result.UNAVAILABLE
        assert alive(other.pid)


@pytest.mark.parametrize("text", ["{pid}\n1\n", "1\n1\n", "", "{pid}\n", "\xff"])
def test_a_process_that_did_not_write_the_lock_file_is_never_ended(
    runtime: Path, locks: Locks, interrupt: Interrupt, text: str
) -> None:
    lock = device_lock(runtime, RDEV)
    with Other(lock) as other:
        lock.write_text(text.format(pid=other.pid), encoding="latin-1")
        assert holding(runtime, other.pid).end(RDEV, interrupt).result is Result.UNAVAILABLE
        assert alive(other.pid)
