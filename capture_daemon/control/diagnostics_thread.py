"""The diagnostics thread: slow questions about the machine, and the journal on disk, in turn.

It reads /proc, the kernel's log and a disk, any of which may hang: an answer that never comes costs
the evidence, and nothing else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from capture_daemon.control.job_thread import JobThread
from capture_daemon.diagnosis.incidents import Evidence, left_open
from capture_daemon.diagnosis.journal import Journal
from capture_daemon.diagnosis.records import DiagnosedDevice, Holders
from capture_daemon.diagnosis.tools import Tools
from capture_daemon.settings.spec import SourceSpec

BEFORE_NS = 3_000_000_000
"""The kernel speaks of a loss before we notice it: lines from this long before it count."""
QUEUED_MAX = 100
"""Questions that may wait while one hangs; further ones are dropped."""


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """What was found out about an incident."""

    incident: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class HoldersSeen:
    """Who has the camera's device."""

    device: str
    """Its node; empty while there is none."""
    holders: Holders
    seen_ns: int
    """CLOCK_MONOTONIC."""


@dataclass(frozen=True, slots=True)
class JournalRead:
    """The incidents of earlier daemons, oldest first."""

    incidents: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class JournalTrouble:
    """An incident could not be written, or the file could not be read; or all is well again."""

    reason: str | None
    """None: the last write succeeded."""
    unwritten: int
    """Documents lost so far."""


DiagnosticsReport = EvidenceFound | HoldersSeen | JournalRead | JournalTrouble


class DiagnosticsThread(JobThread):
    """Asks the machine it runs on, and remembers the device that was open last."""

    def __init__(
        self,
        *,
        tools: Tools,
        journal: Journal,
        source: Callable[[], SourceSpec | None],
        post: Callable[[DiagnosticsReport], None],
    ) -> None:
        """Take what to ask; `source` returns what the capture thread works on now."""
        super().__init__(name="diagnostics", most=QUEUED_MAX)
        self._tools = tools
        self._journal = journal
        self._source = source
        self._post = post
        self._device: DiagnosedDevice | None = None
        self._trouble: str | None = None
        self._unwritten = 0
        self._not_taken = 0  # the caller's thread counts these, the diagnostics thread those above

    def evidence(self, incident: str, since_utc_ns: int, *, holders: bool) -> None:
        """Find out about an incident that began then. Ends in EvidenceFound."""
        self._put(lambda: self._find(incident, since_utc_ns, holders=holders))

    def look_for_holders(self) -> bool:
        """Find out who has the device. Ends in HoldersSeen; False if too many questions wait."""
        return self._put(self._see_holders)

    def learn_device(self) -> None:
        """Remember the device that is open now: once it is gone, nobody can say what it was."""
        self._put(self._look_at_device)

    def write(self, document: Mapping[str, object]) -> None:
        """Put an incident into the journal. Ends in nothing, or in JournalTrouble."""
        if not self._put(lambda: self._write(document)):
            self._not_taken += 1
            self._tell_trouble(f"one of {QUEUED_MAX} questions before it hangs")

    def look_for_files(
        self, lost: Callable[[], Path | None], post: Callable[[Path | None], None]
    ) -> bool:
        """Have `lost` say which file is gone, and post it; False if too many questions wait."""
        return self._put(lambda: post(lost()))

    def read_journal(self) -> None:
        """Read what earlier daemons wrote. Ends in JournalRead or JournalTrouble."""
        self._put(self._read)

    def _look_at_device(self) -> DiagnosedDevice | None:
        found = self._tools.device(self._source())
        known = self._device
        if found is not None and not (known and known.rdev == found.rdev and not found.node):
            self._device = found
        return found

    def _see_holders(self) -> None:
        node, holders = "", Holders((), 0, ("a bug kept this from being seen: see the log",))
        try:
            found = self._look_at_device()
            node = "" if found is None else found.node
            holders = Holders((), 0) if found is None else self._who_has(found)
        finally:  # nobody looks again before this has come
            self._post(HoldersSeen(node, holders, time.monotonic_ns()))

    def _who_has(self, device: DiagnosedDevice) -> Holders:
        try:
            return self._tools.holders(device.rdev)
        except OSError as error:
            return Holders((), 0, (f"processes cannot be seen: {error.strerror or str(error)}",))

    def _find(self, incident: str, since_utc_ns: int, *, holders: bool) -> None:
        self._look_at_device()
        device = self._device
        notes: list[str] = []
        others: list[Mapping[str, object]] = []
        if holders and device is not None:
            seen = self._who_has(device)
            # Our parent may keep a copy of the device for our successor.
            ours = (os.getpid(), os.getppid())
            others = [each.document() for each in seen.found if each.pid not in ours]
            notes += seen.notes()
        lines: list[Mapping[str, object]] = []
        if self._is_on_usb():
            port = device.port if device is not None else ""
            told = self._tools.kernel_log(port, since_utc_ns - BEFORE_NS)
            lines = [line.document() for line in told.lines]
            notes += told.notes
        self._post(EvidenceFound(incident, Evidence(tuple(others), tuple(lines), tuple(notes))))

    def _is_on_usb(self) -> bool:
        """Whether the camera's device is, or may have been before it went, one on USB."""
        source, device = self._source(), self._device
        if source is None or source.kind != "v4l2":
            return False
        return device is None or not device.node or bool(device.port)

    def _write(self, document: Mapping[str, object]) -> None:
        try:
            self._journal.append(document)
        except OSError as error:
            self._unwritten += 1
            self._tell_trouble(error.strerror or str(error))
        else:
            if self._trouble is not None:
                self._tell_trouble(None)

    def _read(self) -> None:
        try:
            found = self._journal.read()
        except OSError as error:
            self._tell_trouble(error.strerror or str(error))
        else:
            self._post(JournalRead(tuple(left_open(each) for each in found)))

    def _tell_trouble(self, reason: str | None) -> None:
        self._trouble = reason
        self._post(JournalTrouble(reason, self._unwritten + self._not_taken))
