"""The ring, its readers and the sockets beside it, under an emulated aarch64."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.aarch64 import tree
from tests.guest.debian import SetupFailed

ROOT = Path(__file__).parents[2]
PATTERNS = ("unit/test_ring*.py", "unit/test_reader*.py", "unit/test_frame.py", "*/test_zmtp.py")
LONGEST_S = 500


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := tree.why_not():
        pytest.skip(reason)
    try:
        return tree.interpreter(tree.prepare(), tmp_path_factory.mktemp("aarch64"))
    except SetupFailed as error:
        pytest.skip(str(error))


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env={**os.environ, tree.PROGRAM: str(python)},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )


@pytest.mark.timeout(LONGEST_S)
def test_it_is_an_aarch64(python: Path) -> None:
    asked = "import platform, sys, zmq; print(platform.machine(), sys.byteorder)"
    done = run(python, "-c", asked)
    assert (done.stdout, done.stderr) == ("aarch64 little\n", "")


@pytest.mark.timeout(LONGEST_S)
def test_ring_reader_and_sockets_pass_their_tests_there(python: Path) -> None:
    files = [str(path) for pattern in PATTERNS for path in sorted((ROOT / "tests").glob(pattern))]
    done = run(
        python,
        *("-m", "pytest", "-p", "tests.aarch64.emulated", "-p", "no:cacheprovider"),
        *("-q", "--timeout", "200", *files),
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    closing = done.stdout.strip().splitlines()[-1]
    passed = re.fullmatch(r"(\d+) passed in .*", closing)
    assert passed, closing
    assert int(passed[1]) > 200


@pytest.mark.timeout(LONGEST_S)
def test_no_corrupt_frame_is_accepted_there_from_a_flat_out_writer(python: Path) -> None:
    play = (
        "from tests.aarch64 import emulated; from tests.stress import ring_stress as it; it.main()"
    )
    done = run(python, "-c", play, "--readers", "2", "--reads", "5000")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["reads"], seen["corrupt"]) == (10_000, 0)
    assert seen["accepted"]
    assert seen["lapped"]
