"""The supervisor over real processes: what it starts again, and that it leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from framebus.cli.supervisor import ONE_WISH_S

from tests.helpers.processes import alive, children
from tests.helpers.waiting import until

Start = Callable[..., "subprocess.Popen[str]"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor of toys in a process group of its own, as a shell would."""
    started: list[subprocess.Popen[str]] = []

    def start(*kinds: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.toy", "supervise", tmp_path, *kinds],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)
    left = [pid for file in tmp_path.glob("[!.]*") for pid in pids(file) if alive(pid)]
    until(lambda: not any(alive(pid) for pid in left), what=f"processes left behind: {left}")


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def running(directory: Path, kind: str, lives: int = 1) -> int:
    """Waits until a child has started so many times; returns its present process id."""
    return until(lambda: pids(directory / kind)[lives - 1 :], what=f"{kind}, life {lives}")[0]


def test_killed_child_is_replaced_at_once_and_leaves_no_zombie(
    start: Start, tmp_path: Path
) -> None:
    process = start("a", "b")
    first, other = running(tmp_path, "a"), running(tmp_path, "b")
    os.kill(first, signal.SIGKILL)
    second = running(tmp_path, "a", lives=2)
    assert not Path(f"/proc/{first}").exists()
    assert sorted(children(process.pid)) == sorted([second, other])


def test_what_a_killed_child_started_ends_with_it(start: Start, tmp_path: Path) -> None:
    start("parent")
    grandchild = running(tmp_path, "grandchild")
    os.kill(running(tmp_path, "parent"), signal.SIGKILL)
    until(lambda: not alive(grandchild))
    running(tmp_path, "parent", lives=2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_all_cleanly(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = start("a", "b")
    both = [running(tmp_path, "a"), running(tmp_path, "b")]
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert not any(alive(pid) for pid in both)
    assert "killing" not in said


def test_ctrl_c_at_the_terminal_reaches_the_children_once_through_us(
    start: Start, tmp_path: Path
) -> None:
    process = start("a")
    child = running(tmp_path, "a")
    assert os.getpgid(child) == child != os.getpgid(process.pid)


def test_signals_at_once_are_one(start: Start, tmp_path: Path) -> None:
    process = start("a", "b")
    both = [running(tmp_path, "a"), running(tmp_path, "b")]
    # Stopped meanwhile: a busy machine may take its time between the two.
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert not any(alive(pid) for pid in both)
    assert "killing" not in said


def test_second_signal_kills_what_does_not_end(start: Start, tmp_path: Path) -> None:
    process = start("stubborn", "a")
    stubborn, other = running(tmp_path, "stubborn"), running(tmp_path, "a")
    process.send_signal(signal.SIGINT)
    until(lambda: not alive(other))
    assert alive(stubborn)
    time.sleep(ONE_WISH_S)  # at once it would be the same wish
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGINT
    assert not alive(stubborn)
    assert "killing stubborn" in said


def test_children_end_when_the_supervisor_is_killed(start: Start, tmp_path: Path) -> None:
    process = start("a", "b")
    both = [running(tmp_path, "a"), running(tmp_path, "b")]
    process.kill()
    until(lambda: not any(alive(pid) for pid in both))


@pytest.mark.parametrize("code", [64, 75, 77])
def test_child_that_needs_a_person_ends_all_with_its_code(
    start: Start, tmp_path: Path, code: int
) -> None:
    process = start("a", f"exit{code}")
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert f"exit{code} cannot start" in said
    assert not any(alive(pid) for pid in pids(tmp_path / "a"))


def test_child_that_dies_at_its_start_is_tried_again(start: Start, tmp_path: Path) -> None:
    process = start("exit1")
    running(tmp_path, "exit1", lives=3)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "exit1 ended (exit code 1); starting it again" in said


def wait_until_written(file: Path, text: str) -> None:
    until(lambda: file.exists() and file.read_text() == text, what=f"{text!r} in {file}")


def test_a_descriptor_that_was_left_comes_back_in_the_next_life(
    start: Start, tmp_path: Path
) -> None:
    start("keeper")
    lives = tmp_path / ".lives"
    for life in (1, 2, 3):
        pid = running(tmp_path, "keeper", life)
        wait_until_written(lives, "+" * life)
        os.kill(pid, signal.SIGKILL)


def test_a_descriptor_that_was_taken_back_does_not(start: Start, tmp_path: Path) -> None:
    start("keeper-forgets")
    for life in (1, 2):
        pid = running(tmp_path, "keeper-forgets", life)
        wait_until_written(tmp_path / ".lives", "+")
        (tmp_path / ".lives").unlink()
        os.kill(pid, signal.SIGKILL)
