"""Numbers what the capture thread is told to do, so that old news can be told from new.

A session is one opening, closing or rung: what an earlier one reports is old news by the time it
arrives. Main thread only; every call returns at once.
"""

from __future__ import annotations

from framebus.contract.words import Rung

from capture_daemon.capturing.commands import CaptureCommands, Close, Open, RestartStream, RunRung
from capture_daemon.capturing.reports import Closed, Opened, Report
from capture_daemon.settings.capture_request import CaptureRequest

COALESCE_S = 1.0
"""Restarts that come this soon after an open are the same restart: reopening a camera over and
over can make it drop off its bus."""


class Sessions:
    """Commands the capture thread, one session after another."""

    def __init__(self, *, capture: CaptureCommands, now_ns: int) -> None:
        self.number = 0
        """The present session."""
        self._capture = capture
        self._opened_ns = now_ns - int(COALESCE_S * 1e9)
        self._closing = 0

    @property
    def closing(self) -> bool:
        """Whether a close is not done yet."""
        return bool(self._closing)

    @property
    def again_ns(self) -> int:
        """When the source may be opened again after it was opened last."""
        return self._opened_ns + int(COALESCE_S * 1e9)

    def open(self, request: CaptureRequest, now_ns: int) -> None:
        """Open the request's source."""
        self.number += 1
        self._opened_ns = now_ns
        self._capture.command(Open(self.number, request))

    def close(self) -> None:
        """Close whatever is open."""
        self.number += 1
        self._closing = self.number
        self._capture.command(Close(self.number))

    def run_rung(self, rung: Rung, limit_s: float) -> None:
        """Carry out a rung with the device closed."""
        self.number += 1
        self._capture.command(RunRung(self.number, rung, limit_s))

    def restart_stream(self) -> None:
        """Restart the stream of the present session."""
        self._capture.command(RestartStream(self.number))

    def is_news(self, report: Report) -> bool:
        """Tell whether a report is of the present session; of others only a close done counts."""
        if isinstance(report, Closed) and report.session == self._closing:
            self._closing = 0
        if report.session != self.number:
            return False
        if isinstance(report, Opened):
            self._closing = 0
        return True
