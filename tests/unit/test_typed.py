"""Commands as they must be typed here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from framebus.invocation import typed
from framebus.names import runtime_dir


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `framebus` in an environment of its own, started by a path from beside it."""
    script = tmp_path / "my venv" / "bin" / "framebus"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), "up"])
    monkeypatch.setenv("PATH", "/nowhere")
    return script


def test_it_is_the_path_where_the_name_would_not_be_found(script: Path) -> None:
    assert typed.program() == "'my venv/bin/framebus'"
    os.chdir(script.parent)
    assert typed.program() == "./framebus"
    os.chdir("/")
    assert typed.program().startswith("'")


def test_it_is_the_name_where_that_is_found_also_through_a_link(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(script.parent))
    assert typed.program() == "framebus"
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/framebus").symlink_to(script)
    monkeypatch.setenv("PATH", str(tmp_path / "usr"))
    assert typed.program() == "framebus"
    another = tmp_path / "other" / "framebus"
    another.parent.mkdir()
    another.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(another.parent))
    assert typed.program() == "'my venv/bin/framebus'"


def test_run_by_python_it_is_the_script_beside_that_or_the_module(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/x/framebus/__main__.py"])
    monkeypatch.setattr(sys, "executable", str(script.with_name("python")))
    assert typed.program() == "'my venv/bin/framebus'"
    script.unlink()
    assert typed.program() == "'my venv/bin/python' -m framebus"


def test_a_command_has_its_directory_and_who_is_to_give_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(typed, "program", lambda: "framebus")
    assert typed.command("ctl", "stop") == "framebus ctl stop"
    assert typed.command("snapshot", "-o", "a b") == "framebus snapshot -o 'a b'"
    there = Path("/run/framebus")
    assert typed.command("ls", runtime=there) == "FRAMEBUS_RUNTIME_DIR=/run/framebus framebus ls"
    assert typed.command("ls", runtime=there, root=True) == (
        "sudo env FRAMEBUS_RUNTIME_DIR=/run/framebus framebus ls"
    )
    assert typed.command("doctor", root=True, user="ada") == "sudo -u ada framebus doctor"


def test_remedies_in_a_message_become_what_works_here(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "start it with `framebus up`, or see `sudo framebus doctor`; framebus is fine"
    monkeypatch.setattr(typed, "program", lambda: ".venv/bin/framebus")
    assert typed.remedies(text) == (
        "start it with `.venv/bin/framebus up`, or see `sudo .venv/bin/framebus doctor`; "
        "framebus is fine"
    )


def test_only_a_directory_that_the_next_shell_would_not_find_is_told() -> None:
    environ = {"XDG_RUNTIME_DIR": "/nowhere/7"}
    assert typed.told(environ, runtime_dir(environ)) is None
    assert typed.told({**environ, "FRAMEBUS_RUNTIME_DIR": "/srv/x"}, Path("/srv/x")) == Path(
        "/srv/x"
    )


def test_a_command_is_told_of_the_directory_that_this_one_was_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written before the command, the variable is gone in the next line."""
    monkeypatch.setattr(typed, "program", lambda: "framebus")
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(tmp_path))
    there = f"FRAMEBUS_RUNTIME_DIR={tmp_path}"
    assert typed.command("up") == f"{there} framebus up"
    assert typed.remedies("`framebus ctl start` or `sudo framebus doctor`") == (
        f"`{there} framebus ctl start` or `sudo env {there} framebus doctor`"
    )
