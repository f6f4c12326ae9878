"""What every test gets: a private runtime directory, and a check that nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from framebus.names import SHARED_MEMORY, CameraNames


def pytest_configure() -> None:
    """Undo what nohup and background jobs of a shell do to signals.

    Our children would inherit it, and rightly stay deaf to the very signals that tests send them.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what would be skipped, where CI=true: nothing may be left out there unnoticed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"left out, and with CI=true nothing may be: {report.longrepr}"
    return report


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory of this test's own, short enough for a socket's path.

    Fails the test that leaves a segment of any of its cameras in shared memory.
    """
    path = Path(tempfile.mkdtemp(prefix="fb-"))
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(path))
    state = Path(tempfile.mkdtemp(prefix="fb-state-"))
    monkeypatch.setenv("FRAMEBUS_STATE_DIR", str(state))
    prefix = CameraNames(path, "x").segment.removesuffix("x")
    yield path
    shutil.rmtree(path)
    shutil.rmtree(state)
    left = [name for name in os.listdir(SHARED_MEMORY) if prefix in name]
    for name in left:
        (SHARED_MEMORY / name).unlink()
    assert not left, f"segments left behind: {left}"
