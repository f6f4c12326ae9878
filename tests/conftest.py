"""What every test gets: a private runtime directory, and a check that nothing stays behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from capture_daemon.sources.base import Interrupt
from tests.helpers.runtimes import private_runtime


def pytest_configure() -> None:
    """Undo what a shell has set: signals that nohup and background jobs ignore, and options.

    Our children would inherit them, and rightly stay deaf to the very signals that tests send them.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Options of whoever runs the tests are not those of what is tested; a test's own are.
    for name in [name for name in os.environ if name.startswith("FRAMEBUS_")]:
        if not name.startswith(("FRAMEBUS_TEST_", "FRAMEBUS_STRESS_", "FRAMEBUS_GUEST_")):
            del os.environ[name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what would be skipped, where CI=true: nothing may be left out there unnoticed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"left out, and with CI=true nothing may be: {report.longrepr}"
    return report


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A runtime directory of this test's own; see `private_runtime`."""
    with private_runtime() as path:
        yield path


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    """What ends a source's waiting, for tests of anything that opens one."""
    interrupt = Interrupt()
    yield interrupt
    interrupt.close()
