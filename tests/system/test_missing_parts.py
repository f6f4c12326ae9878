"""Every command without each part of an installation: one sentence, an end, and no loop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from framebus.installation import FOR_THE_WEB, PACKAGES

from tests.programs import without as missing
from tests.programs.up import TEST, Up, refuse

BROKEN = """raise ImportError("libz.so.1: cannot open shared object file", name="flask")"""


@pytest.fixture
def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def leave_out(module: str) -> None:
        for name, value in missing.without(tmp_path, module).items():
            monkeypatch.setenv(name, value)

    return leave_out


@pytest.mark.parametrize("module", sorted({*FOR_THE_WEB, "click"}))
def test_up_is_one_sentence_and_opens_no_camera(
    start: Callable[..., Up], without: Callable[[str], None], runtime: Path, module: str
) -> None:
    without(module)
    code, said = refuse(start, *TEST)
    assert code == os.EX_UNAVAILABLE, said
    assert said == (
        f"framebus: {PACKAGES[module]} is needed and not installed here: "
        f"{sys.executable} -m pip install {PACKAGES[module]}\n"
    )
    assert os.listdir(runtime) == []


@pytest.mark.parametrize("module", ["werkzeug", "web_workers"])
def test_a_child_that_cannot_be_imported_is_not_started_again(
    start: Callable[..., Up], without: Callable[[str], None], module: str
) -> None:
    without(module)
    code, said = refuse(start, *TEST)
    assert code == os.EX_UNAVAILABLE, said
    assert said.count("framebus: ") == 1
    assert module in said
    assert "starting it again" not in said
    assert "Traceback" not in said


def test_workers_whose_packages_do_not_load_end_it_with_the_sentence(
    start: Callable[..., Up], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken/flask").mkdir(parents=True)
    (tmp_path / "broken/flask/__init__.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    code, said = refuse(start, "--source", f"file:{tmp_path}", "--workers", "1")
    assert code == os.EX_UNAVAILABLE, said
    assert "flask does not load here (libz.so.1" in said
    assert "starting it again" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("module", "command"),
    [
        *(("xxhash", command) for command in ("snapshot -o -", "tap")),
        *(("linuxpy", command) for command in ("devices", "doctor", "capture --source v4l2:/x")),
        *((module, "web --check") for module in FOR_THE_WEB),
    ],
)
def test_every_command_that_needs_it_says_so_in_one_line(
    without: Callable[[str], None], runtime: Path, module: str, command: str
) -> None:
    without(module)
    done = subprocess.run(
        [sys.executable, "-m", "framebus", *command.split()],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == os.EX_UNAVAILABLE, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(f" -m pip install {PACKAGES[module]}\n")
