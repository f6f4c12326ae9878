"""What a person or CI starts by make, as far as it can be seen without doing it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from framebus.version import __version__

ROOT = Path(__file__).parents[2]
SLOW = re.compile(r"-m venv|pip install|framebus up")


def printed(target: str) -> list[str]:
    """The commands of a target in a checkout where nothing is installed yet."""
    # Not as a part of the make that runs the tests, which would say where it goes.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", target],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.replace("\\\n", " ").splitlines()


def test_nothing_slow_begins_without_a_line_that_says_so() -> None:
    said, slow = False, 0
    for command in printed("run"):
        if command.startswith("echo "):
            said = True
        elif SLOW.search(command) and "--upgrade pip" not in command:
            assert said, command
            said, slow = False, slow + 1
    assert slow >= 3


def test_pre_commit_runs_what_make_check_runs() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    hooks = re.findall(r"^ +entry: (.+)$", config, re.MULTILINE)
    assert hooks == printed("check")[-len(hooks) :]
    assert len(re.findall(r"^\t\$\(BIN\)", recipe("check"), re.MULTILINE)) == len(hooks)


def recipe(target: str) -> str:
    makefile = (ROOT / "Makefile").read_text()
    return makefile.partition(f"\n{target}: ")[2].partition("\n\n")[0]


def test_this_version_has_its_section_in_the_changelog() -> None:
    assert f"\n## [{__version__}] - 20" in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of which a release could be made, if its checks passed: they fail."""
    for name in (".ci/release", "shared/framebus/version.py", ".gitignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "Makefile").write_text("check test:\n\t@false\n")
    changes = f"## [Unreleased]\n\n## [{__version__}] - 2026-01-02\n\n- A change.\n"
    (tmp_path / "CHANGELOG.md").write_text(changes)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path)
    return tmp_path


def git(checkout: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()


def commit(checkout: Path) -> None:
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "A change")


def release(checkout: Path, *arguments: str) -> str:
    """What a release says that is not made."""
    done = subprocess.run(
        [".ci/release", *arguments], cwd=checkout, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert git(checkout, "tag") == ""
    return done.stderr


def test_no_release_of_a_commit_whose_checks_fail(checkout: Path) -> None:
    assert "the checks or the tests fail" in release(checkout)


def test_no_release_beside_the_branch_main(checkout: Path) -> None:
    git(checkout, "switch", "--quiet", "--create", "other")
    assert "git switch main" in release(checkout)


def test_no_release_of_what_is_not_committed(checkout: Path) -> None:
    (checkout / "new.py").write_text("")
    assert "git status" in release(checkout)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" - 2026-01-02", "", f"no section '## [{__version__}] - 20"),
        (f"[{__version__}]", "[0.0.9]", f"no section '## [{__version__}] - 20"),
        ("[Unreleased]\n", "[Unreleased]\n\n- One more.\n", f"into the section of {__version__}"),
    ],
)
def test_no_release_without_its_section_in_the_changelog(
    checkout: Path, old: str, new: str, said: str
) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(old, new))
    commit(checkout)
    assert said in release(checkout)


def test_no_release_of_another_commit_than_was_tested(checkout: Path) -> None:
    tested = git(checkout, "rev-parse", "HEAD")
    commit(checkout)
    assert f"{tested} was tested" in release(checkout, tested)


def test_no_second_release_of_a_version(checkout: Path) -> None:
    git(checkout, "tag", f"v{__version__}")
    done = subprocess.run([".ci/release"], cwd=checkout, capture_output=True, text=True)
    assert done.returncode != 0
    assert "write the next version" in done.stderr
