"""A test that is left out is told where a person runs the tests, and fails in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LEFT_OUT = """
import pytest
pytestmark = pytest.mark.skipif({marked}, reason="no such program")
def test_it(): pytest.skip("no such program")
"""


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(("ci", "expected"), [("true", 1), ("", 0)])
def test_what_is_left_out_fails_in_ci(tmp_path: Path, marked: bool, ci: str, expected: int) -> None:
    file = tmp_path / "test_left_out.py"
    file.write_text(LEFT_OUT.format(marked=marked))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"),
            *("-p", "tests.conftest", "--rootdir", tmp_path, file),
        ],
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
    )
    assert run.returncode == expected, run.stdout
    assert "no such program" in run.stdout
