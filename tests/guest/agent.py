"""The half of the pytest plugin that runs inside the guest: writes every report down at once.

One report is one line of JSON in /run/job/reports; `guestplugin.py` reads them on the host.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.guest.machine import JOB_IN_GUEST

REPORTS = "reports"
ITEMS = "items"


class Agent:
    """Writes reports, in the form that pytest offers for sending them elsewhere."""

    def __init__(self, config: pytest.Config, file: Path) -> None:
        self._config = config
        self._file = file.open("w")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._file.write(json.dumps(data) + "\n")
        self._file.flush()

    def pytest_unconfigure(self) -> None:
        self._file.close()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Agent(config, Path(JOB_IN_GUEST) / REPORTS), "guest-agent")
