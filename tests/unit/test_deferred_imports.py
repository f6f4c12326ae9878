"""Modules that are loaded when they are used, and what stands in for them until then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from framebus.deferred_imports import called, defer

LOADED: list[str] = []


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`deferred_a`, and `deferred_b` that makes a subclass of what is in it."""
    note = f"import {__name__} as here\nhere.LOADED.append(__name__)\n"
    (tmp_path / "deferred_a.py").write_text(
        f"{note}class Base: real = True\ndef double(x): return 2 * x\nVALUE = 7\n"
    )
    (tmp_path / "deferred_b.py").write_text(
        f"{note}from deferred_a import Base\nclass Derived(Base): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    LOADED.clear()
    yield
    for name in ("deferred_a", "deferred_b"):
        sys.modules.pop(name, None)


def test_a_module_is_loaded_when_something_of_it_is_used_that_its_stand_in_has_not() -> None:
    defer({"deferred_a": {"VALUE": 1}})
    module = import_module("deferred_a")
    assert module.VALUE == 1
    assert LOADED == []
    assert module.double(2) == 4
    assert LOADED == ["deferred_a"]
    assert import_module("deferred_a").VALUE == 7
    assert module.double(3) == 6
    assert LOADED == ["deferred_a"]


def test_a_function_loads_its_module_when_it_is_called() -> None:
    defer({"deferred_a": called("deferred_a", "double")})
    double = import_module("deferred_a").double
    assert LOADED == []
    assert double(2) == 4
    assert LOADED == ["deferred_a"]


def test_a_module_that_takes_from_another_gets_the_real_thing() -> None:
    defer(
        {"deferred_b": called("deferred_b", "Derived"), "deferred_a": {"Base": object}},
        first={"deferred_b": "deferred_a"},
    )
    assert import_module("deferred_b").Derived().real
    assert LOADED == ["deferred_a", "deferred_b"]


def test_what_is_loaded_already_stays() -> None:
    module = import_module("deferred_a")
    defer({"deferred_a": {"VALUE": 1}})
    assert import_module("deferred_a") is module
    assert module.VALUE == 7


def test_a_module_that_is_not_there_is_said_to_be_so() -> None:
    defer({"no_such_module_at_all": {}})
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        _ = import_module("no_such_module_at_all").anything


WEB = """
import sys
from web_workers import run_gunicorn
run_gunicorn.defer_unused({environ})
for name in ("master", "reloading_worker", "worker"):
    __import__("web_workers." + name)
from web_workers.app import create_app
from web_workers.settings import Settings
app = create_app(Settings.from_environ())
def heavy():
    return [n for n in {heavy!r} if hasattr(sys.modules.get(n), "__file__")]
assert heavy() == [], heavy()
from werkzeug.test import Client
client = Client(app)
assert client.get("/healthz").status_code == 200
page = client.get("/", headers=dict(Host="localhost"))
assert page.status_code == 200 and b"<html" in page.data, page.data
assert client.get("/metrics", headers=dict(Host="localhost")).status_code == 200
assert client.get("/nowhere", headers=dict(Host="localhost", Accept="text/html")).status_code == 404
"""
HEAVY = ("PIL", "click.core", "jinja2", "prometheus_client", "ssl", "_ssl", "werkzeug.serving")


def web(environ: dict[str, str], heavy: tuple[str, ...]) -> None:
    subprocess.run(
        [sys.executable, "-P", "-c", WEB.format(environ=environ, heavy=heavy)],
        check=True,
        cwd=Path(__file__).parents[2],
    )


def test_a_web_worker_loads_nothing_that_it_may_never_use_and_all_that_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(tmp_path))
    web({}, HEAVY)


def test_with_a_certificate_tls_is_there_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(tmp_path))
    web({"FRAMEBUS_CERTFILE": "x"}, ("PIL", "jinja2"))


def test_a_daemon_loads_nothing_that_it_may_never_use() -> None:
    heavy = ("_hashlib", "click", "inspect", "locale", "lzma", "subprocess", "zmq", "PIL", "numpy")
    program = (
        "import sys, capture_daemon.__main__ as m; m.defer(m.UNUSED)\n"
        "import capture_daemon.program, capture_daemon.main, capture_daemon.v4l2.source, pyudev\n"
        f"print(*[n for n in {heavy!r} if hasattr(sys.modules.get(n), '__file__')])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.split() == []
