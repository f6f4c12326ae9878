"""A test that takes its guest down fails alone, for the right reason, and the others run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guest.conftest import leave_out, why_not

MISBEHAVING = Path(__file__).with_name("inside") / "misbehaving.py"
EXPECTED = {
    "before": "PASSED",
    "that_panics": "FAILED",
    "between": "PASSED",
    "that_hangs": "FAILED",
    "that_ends_the_interpreter": "FAILED",
}


@pytest.mark.guest
@pytest.mark.timeout(600)
def test_a_panic_a_hang_and_a_sudden_end_each_fail_one_test() -> None:
    if reason := why_not():
        leave_out(reason)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", MISBEHAVING],
        capture_output=True,
        text=True,
        timeout=590,
    )
    outcomes = dict(re.findall(r"::test_(\w+)\[stable\] (\w+)", run.stdout))
    assert outcomes == EXPECTED, run.stdout
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    for name, reason in [
        ("that_panics", "the guest panicked"),
        ("that_hangs", "the guest hung"),
        ("that_ends_the_interpreter", "the command exited with status 3"),
    ]:
        story = run.stdout.split(f"_ test_{name}[stable] _", 1)[1].split("\n____", 1)[0]
        assert reason in story, story
