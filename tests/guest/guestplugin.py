"""The half of the pytest plugin that runs on the host: tests under inside/ run in a guest.

They are collected like any other test, each under its own name. One guest per kernel is booted
when the first of its tests is due; it is told to run all of them, and its reports are replayed
here as they come. A guest that hangs or panics fails the test that was under way, and a fresh one
runs the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator

import pytest

from tests.guest.agent import ITEMS, REPORTS
from tests.guest.cache import KERNELS
from tests.guest.debian import SetupFailed
from tests.guest.machine import TREE, Ending, Guest, booted
from tests.guest.prepare import prepare, prepare_system

_START_S = 180.0
"""A boot and pytest's start take less, on a busy machine too."""
_BEAT_S = 20.0
"""From then on, a guest that says nothing for so long hangs; it says something every second."""
_TEST_LIMIT_S = 120
ASKED = "FRAMEBUS_GUEST_"
"""What a variable begins with that the tests inside read, too."""
_GROUP_LIMIT_S = 3600.0


class GuestFailed(Exception):
    """The guest ended without a report of the test; the message has its console."""


class Group:
    """The tests that one kernel's guest runs; `name` is the kernel's, "+systemd" may follow."""

    def __init__(self, config: pytest.Config, name: str) -> None:
        self._config = config
        kernel, _, init = name.partition("+")
        self._kernel = KERNELS[kernel]
        self._systemd = bool(init)
        self.following: Group | None = None
        """The group whose tests come after these."""
        self._pending: list[str] = []
        self._stack = contextlib.ExitStack()
        self._guest: Guest | None = None
        self._output: Iterator[bytes] = iter(())
        self._said = bytearray()
        self._read = 0
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._reported = False
        self._deadline = 0.0

    def add(self, nodeid: str) -> None:
        """Let the group have one more test."""
        self._pending.append(nodeid)

    def run(self, nodeid: str) -> list[pytest.TestReport]:
        """Return the reports of a test: set-up, call and tear-down. Raises GuestFailed."""
        self.boot()
        if self.following is not None:
            # Much of a test is waiting for time to pass: two guests use two cores better than one.
            with contextlib.suppress(SetupFailed):
                self.following.boot()
        self._pending.remove(nodeid)
        for said in self._output:
            self._said += said
            if self._take_reports():
                self._deadline = time.monotonic() + _BEAT_S
            reports = self._reports.get(nodeid, [])
            if any(report.when == "teardown" for report in reports):
                return self._reports.pop(nodeid)
            if time.monotonic() > self._deadline:
                break
        # The last reports may have come with the end of the output.
        self._take_reports()
        reports = self._reports.pop(nodeid, [])
        if any(report.when == "teardown" for report in reports):
            return reports
        raise GuestFailed(self._explain())

    def close(self) -> None:
        """End the guest, if there is one."""
        self._guest = None
        self._stack.close()

    def boot(self) -> None:
        """Start the guest unless it runs already. Raises SetupFailed."""
        if self._guest is not None or not self._pending:
            return
        prepare(self._kernel)
        if self._systemd:
            prepare_system()
        self._read = 0
        self._reported = False
        self._deadline = time.monotonic() + _START_S
        self._said.clear()
        command = [
            *(sys.executable, "-m", "pytest", "-p", "tests.guest.agent"),
            *("-p", "no:cacheprovider", "-p", "pytest_timeout", "-o", f"timeout={_TEST_LIMIT_S}"),
            *("-o", "timeout_method=thread", f"@/run/job/{ITEMS}"),
        ]
        asked = {name: text for name, text in os.environ.items() if name.startswith(ASKED)}
        environment = {
            **asked,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._guest = self._stack.enter_context(
            booted(
                self._kernel,
                command,
                limit_s=_GROUP_LIMIT_S,
                environment=environment,
                folder=TREE,
                files={ITEMS: "\n".join(self._pending) + "\n"},
                systemd=self._systemd,
            )
        )
        self._output = self._guest.output()

    def _take_reports(self) -> bool:
        """Read the reports that are new; tell whether there was any sign of life."""
        assert self._guest is not None
        try:
            written = (self._guest.job / REPORTS).read_bytes()
        except FileNotFoundError:
            return False
        whole = written[: written.rfind(b"\n") + 1]
        lines = whole[self._read :].splitlines()
        self._read = len(whole)
        for line in filter(None, lines):
            self._reported = True
            report = self._config.hook.pytest_report_from_serializable(
                config=self._config, data=json.loads(line)
            )
            self._reports.setdefault(report.nodeid, []).append(report)
        return bool(lines)

    def _explain(self) -> str:
        assert self._guest is not None
        outcome = self._guest.outcome()
        said = self._said.decode(errors="replace")
        if outcome.ending is Ending.EXITED and not self._reported:
            # Booting again for each of the other tests would end in the same way.
            self._output = iter(())
        else:
            self.close()
        return f"{outcome.explain()}\nIts output:\n{said[-4000:]}"
