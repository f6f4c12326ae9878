"""What an installation lacks is said in one sentence with the command that installs it."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shlex
import sys
from importlib.machinery import BuiltinImporter
from pathlib import Path

import pytest
from framebus import installation
from framebus.errors import FramebusError, NoPermission, PartMissing
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PRODUCT = ("shared", "capture_daemon", "web_workers")
OURS = {"framebus", "capture_daemon", "web_workers"}
BROUGHT_BY_FLASK = {"itsdangerous", "werkzeug"}
FOR_MYPY = {"_typeshed"}
PIP = f"{shlex.quote(sys.executable)} -m pip install"


def imported() -> set[str]:
    """The top modules that the product imports, wherever in it."""
    found: set[str] = set()
    for folder in PRODUCT:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - OURS


def test_what_the_product_imports_is_what_every_installation_brings() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    required = re.findall(r"^[\w-]+", setup["options"]["install_requires"], re.MULTILINE)
    assert sorted(installation.PACKAGES.values()) == sorted(required)
    assert imported() - BROUGHT_BY_FLASK - FOR_MYPY == set(installation.PACKAGES)
    assert set(installation.FOR_THE_WEB) <= set(installation.PACKAGES)


@pytest.mark.parametrize("machine", ["armv6l", "armv7l", "armv8l", "aarch64", "x86_64"])
def test_what_32_bit_arm_has_no_wheels_of_is_asked_for_everywhere_else(machine: str) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    asked = {
        required.name
        for required in map(Requirement, setup["options"]["install_requires"].strip().split("\n"))
        if required.marker is None or required.marker.evaluate({"platform_machine": machine})
    }
    left_out = set(installation.PACKAGES.values()) - asked
    assert left_out == (set(installation.LOST_WITHOUT) if machine.startswith("armv") else set())


def failed(source: str) -> FramebusError:
    with pytest.raises(ImportError) as failure:
        exec(source, {})
    return installation.explained(failure.value)


def test_a_missing_package_is_named_as_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    error = failed("import PIL")
    assert isinstance(error, PartMissing)
    assert str(error) == f"Pillow is needed and not installed here: {PIP} Pillow"


def test_several_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIL", "linuxpy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [BuiltinImporter])
    with pytest.raises(PartMissing, match=f"^Pillow, linuxpy are needed .*{PIP} Pillow linuxpy$"):
        installation.need("PIL", "linuxpy")


def test_a_package_that_does_not_load_is_installed_anew() -> None:
    error = ImportError("libz.so.1: cannot open shared object file", name="PIL._imaging")
    assert str(installation.explained(error)) == (
        "Pillow does not load here (libz.so.1: cannot open shared object file): "
        f"{PIP} --force-reinstall Pillow"
    )


def test_advice_of_many_lines_is_left_out() -> None:
    advice = ImportError("IMPORTANT\n\nPLEASE READ THIS")
    advice.__cause__ = ImportError("no\nBLAS", name="numpy._core")
    assert str(installation.explained(advice)).startswith("numpy does not load here (no BLAS): ")


@pytest.mark.parametrize("module", ["web_workers.none", "framebus.none", "_ctypes.none"])
def test_what_pip_cannot_bring_is_no_package(module: str) -> None:
    assert "this installation is not whole" in str(failed(f"import {module}"))


@pytest.mark.parametrize("path", [sys.executable, installation.__file__])
def test_what_a_child_of_this_user_could_not_read_is_a_permission(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(os, "access", lambda asked, how: asked != path)
    with pytest.raises(NoPermission, match=re.escape(path)):
        installation.need()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModuleNotFoundError("No module named 'click'", name="click"), os.EX_UNAVAILABLE),
        (PermissionError(13, "Permission denied", "/venv/click/__init__.py"), os.EX_NOPERM),
    ],
)
def test_a_command_that_lacks_something_ends_with_one_line(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, installation.told():
        raise error
    assert ended.value.code == code
    said = capsys.readouterr().err
    assert said.startswith("framebus: ")
    assert said.count("\n") == 1


def test_a_file_of_the_users_own_that_may_not_be_read_is_nothing_of_ours() -> None:
    with pytest.raises(PermissionError), installation.told():
        raise PermissionError(13, "Permission denied", "/home/ada/now.jpg")
