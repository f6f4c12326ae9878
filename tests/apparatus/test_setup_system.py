"""What is said, and what fails, when the system lacks a program that tests want."""

from __future__ import annotations

import pytest

from tests import setup_system


@pytest.fixture(autouse=True)
def _nothing_is_here_and_nobody_is_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    monkeypatch.setattr("os.path.exists", lambda path: False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)


def test_missing_programs_are_named_with_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert setup_system.main() == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(setup_system.PROGRAMS)
    assert any("qemu-system-x86" in line and "guest tests" in line for line in said)


def test_in_ci_a_missing_program_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert setup_system.main() == 1
