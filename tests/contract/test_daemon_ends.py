"""The daemon's end when a thread has died of a bug, or hangs: nothing is closed under another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from framebus.options.chosen import Chosen
from framebus.ring.writer import RingWriter

from capture_daemon import main
from capture_daemon.lifecycle.pipeline import SourceAccess
from capture_daemon.settings.options import settings
from capture_daemon.sources.base import Captured
from tests.contract.daemon_bench import Bench, owner_of
from tests.contract.stubborn import StubbornSource
from tests.fakes.rung_executors import NoRungs


class DyingSource(StubbornSource):
    """Its second read ends the thread that makes it, as only a bug of ours could."""

    read_once = False

    def read(self, timeout_s: float) -> Captured | None:
        if self.read_once:
            raise SystemExit
        self.read_once = True
        return super().read(timeout_s)


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        camera, spare = (
            SourceAccess(owner_of(source, runtime), NoRungs())
            for source in (DyingSource(), StubbornSource())
        )
        yield Bench(runtime, stack, source="test", camera=camera, spare=spare)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_capture_thread_that_died_ends_the_daemon_and_all_other_threads(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match="the capture thread has ended"):
        bench.parts.daemon.run()
    bench.parts.tell_end()
    assert bench.parts.end_threads(30.0)


class HangingParts:
    """What `main` is given instead of a daemon: it dies of a bug, and a thread of it hangs."""

    left = False
    """Whether the process has ended."""

    def __init__(
        self, *_args: object, writer: RingWriter, stack: ExitStack, **_more: object
    ) -> None:
        self.daemon = self
        self.renewing = False
        stack.callback(self.close, writer)

    def start(self) -> None:
        """Nothing."""

    def run(self) -> NoReturn:
        raise ZeroDivisionError("a bug")

    def tell_end(self) -> NoReturn:
        raise ZeroDivisionError("the same bug")

    def end_threads(self, timeout_s: float) -> bool:
        return False

    def close(self, writer: RingWriter) -> None:
        assert self.left, "closed under a thread that hangs"
        writer.close()


class LeftAtOnce(BaseException):
    """Stands for the end of the process."""


def test_a_daemon_that_died_of_a_bug_closes_nothing_under_a_thread_that_hangs(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def leave(code: int) -> NoReturn:
        assert code == os.EX_IOERR
        monkeypatch.setattr(HangingParts, "left", True)
        raise LeftAtOnce

    monkeypatch.setattr(main, "Parts", HangingParts)
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(os, "umask", lambda mask: mask)
    for name in ("allow_many_connections", "logs.to_stderr"):
        monkeypatch.setattr(f"capture_daemon.main.{name}", lambda *_: None)
    monkeypatch.setattr("logging.shutdown", lambda: None)
    wanted = settings(Chosen({"source": "test", "ring_size": "1M"}))
    with pytest.raises(LeftAtOnce):
        main.run(wanted, {"FRAMEBUS_RUNTIME_DIR": str(runtime)})
    assert "ZeroDivisionError: the same bug" in caplog.text
    assert not list(runtime.glob("camera.*"))
