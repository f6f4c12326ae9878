"""A worker that cannot start, and what becomes of the others: gunicorn's master ends them at 3."""

from __future__ import annotations

import errno
import logging
import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from gunicorn.errors import AppImportError

from web_workers import reloading_worker
from web_workers.handover.worker_registry import Peer, WorkerState


class Others:
    """A registry of one other worker, which does `state`."""

    def __init__(self, state: WorkerState) -> None:
        self._peer = Peer(pid=1, age=1, state=state, viewers=1, seen_ns=0)

    def enter(self, age: int) -> None:
        pass

    def peers(self) -> list[Peer]:
        return [self._peer]


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """The worker's own signal handler is taken back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def start(
    monkeypatch: pytest.MonkeyPatch, error: Exception, others: WorkerState, *, booted: bool = False
) -> None:
    """Have a worker begin whose modules cannot be imported, because of `error`."""

    def fail(_name: str) -> NoReturn:
        raise error

    imports = SimpleNamespace(invalidate_caches=lambda: None, import_module=fail)
    monkeypatch.setattr(reloading_worker, "importlib", imports)
    monkeypatch.setattr(reloading_worker, "_OURS", frozenset())
    monkeypatch.setattr(reloading_worker, "time", SimpleNamespace(sleep=lambda _s: None))
    worker: Any = reloading_worker.ReloadingWorker.__new__(reloading_worker.ReloadingWorker)
    worker.age, worker.booted = 2, booted
    worker._table = SimpleNamespace(claim=lambda: 0)
    monkeypatch.setattr(reloading_worker, "WorkerRegistry", lambda _table: Others(others))
    worker.log = logging.getLogger("gunicorn.error")
    worker.init_process()


SHORTAGES = [
    OSError(errno.EMFILE, "Too many open files"),
    MemoryError(),
    RuntimeError("can't start new thread"),
]


@pytest.mark.parametrize("shortage", SHORTAGES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("others", [WorkerState.SERVING, WorkerState.ENDING])
def test_for_want_of_something_it_ends_alone_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    shortage: Exception,
    others: WorkerState,
) -> None:
    with pytest.raises(SystemExit) as ended:
        start(monkeypatch, shortage, others)
    assert ended.value.code == os.EX_TEMPFAIL
    assert str(shortage) in caplog.text


@pytest.mark.parametrize("others", [WorkerState.BOOTING, WorkerState.OVER])
def test_where_nobody_serves_the_master_is_told(
    monkeypatch: pytest.MonkeyPatch, others: WorkerState
) -> None:
    with pytest.raises(OSError, match="Too many"):
        start(monkeypatch, SHORTAGES[0], others)


@pytest.mark.parametrize(
    "error", [SyntaxError("broken"), PermissionError(errno.EACCES, "no"), RuntimeError("a bug")]
)
def test_broken_code_is_no_shortage(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with pytest.raises(type(error)):
        start(monkeypatch, error, WorkerState.SERVING)


def test_what_is_not_installed_is_named_and_the_master_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = ModuleNotFoundError("No module named 'PIL'", name="PIL")
    with pytest.raises(AppImportError, match="Pillow is needed and not installed"):
        start(monkeypatch, missing, WorkerState.SERVING)
    with pytest.raises(ModuleNotFoundError):
        start(monkeypatch, missing, WorkerState.SERVING, booted=True)


def test_a_worker_that_has_served_fails_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MemoryError):
        start(monkeypatch, MemoryError(), WorkerState.SERVING, booted=True)
