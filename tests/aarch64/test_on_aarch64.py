"""The ring, its readers and the sockets beside it, under an emulated aarch64."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.aarch64 import tree
from tests.guest.debian import SetupFailed
from tests.programs.fast_path_build import built
from web_workers.native import library

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


@pytest.fixture(scope="module")
def fast_path(python: Path) -> Path:
    """The daemon's library in C, built for there."""
    return built(python.parent, compiler=tree.COMPILER)


def run(
    python: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env={**os.environ, tree.PROGRAM: str(python), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )


@pytest.mark.timeout(LONGEST_S)
def test_it_is_an_aarch64(python: Path) -> None:
    asked = "import platform, sys, zmq; print(platform.machine(), sys.byteorder)"
    done = run(python, "-c", asked)
    assert (done.stdout, done.stderr) == ("aarch64 little\n", "")


def passed(python: Path, *files: Path, environ: Mapping[str, str] | None = None) -> int:
    """Return how many tests passed there: all that there are in these files."""
    plugins = ("-p", "tests.aarch64.emulated", "-p", "no:cacheprovider")
    options = (*plugins, "-q", "--timeout", "200", *map(str, files))
    done = run(python, "-m", "pytest", *options, environ=environ)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    closing = done.stdout.strip().splitlines()[-1]
    found = re.fullmatch(r"(\d+) passed in .*", closing)
    assert found, closing
    return int(found[1])


@pytest.mark.timeout(LONGEST_S)
def test_ring_reader_and_sockets_pass_their_tests_there(python: Path) -> None:
    tests = ROOT / "tests"
    files = [path for pattern in PATTERNS for path in sorted(tests.glob(pattern))]
    assert passed(python, *files) > 200


@pytest.mark.timeout(LONGEST_S)
def test_the_daemon_s_fast_path_passes_its_tests_there(python: Path, fast_path: Path) -> None:
    contract = ROOT / "tests/contract/test_fast_stream.py"
    assert passed(python, contract, environ={"FAST_PATH_TESTED": str(fast_path)}) > 20


@pytest.mark.timeout(LONGEST_S)
def test_any_frames_end_alike_there_with_the_fast_path_and_without(
    python: Path, fast_path: Path
) -> None:
    done = run(python, "-m", "tests.fuzz.fast_path", "9", "1000", str(fast_path))
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(done.stdout) > 30, "the fast path took hardly any: this proved nothing"


@pytest.mark.timeout(LONGEST_S)
def test_any_frames_reach_viewers_alike_there_by_the_pump_and_without(
    python: Path, tmp_path: Path
) -> None:
    pump = built(tmp_path, compiler=tree.COMPILER, path=library.PATH)
    done = run(python, "-m", "tests.fuzz.pump", "9", "20", str(pump))
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(done.stdout) > 10, "the pump took hardly any: this proved nothing"


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
