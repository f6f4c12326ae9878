"""The half of the pytest plugin that runs inside the guest: writes every report down at once.

One report is one line of JSON in /run/job/reports; `guestplugin.py` reads them on the host. An
empty line now and then says that this process is alive: who hears none knows that the guest hangs,
however long a test takes.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.guest.machine import JOB_IN_GUEST

REPORTS = "reports"
ITEMS = "items"
BEAT_S = 1.0


class Agent:
    """Writes reports, in the form that pytest offers for sending them elsewhere."""

    def __init__(self, config: pytest.Config, file: Path) -> None:
        self._config = config
        self._file = file.open("w")
        self._ended = threading.Event()
        self._writing = threading.Lock()
        self._beating = threading.Thread(target=self._beat, name="beat", daemon=True)
        self._beating.start()

    def _beat(self) -> None:
        self._write("")
        while not self._ended.wait(BEAT_S):
            self._write("")

    def _write(self, line: str) -> None:
        with self._writing:
            self._file.write(f"{line}\n")
            self._file.flush()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._write(json.dumps(data))

    def pytest_unconfigure(self) -> None:
        self._ended.set()
        self._beating.join()
        self._file.close()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Agent(config, Path(JOB_IN_GUEST) / REPORTS), "guest-agent")
