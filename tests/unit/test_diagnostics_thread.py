"""The diagnostics thread: what it finds and remembers; nothing that hangs or fails ends it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from capture_daemon.control.diagnostics_thread import (
    BEFORE_NS,
    QUEUED_MAX,
    DiagnosticsReport,
    DiagnosticsThread,
    EvidenceFound,
    HoldersSeen,
    JournalRead,
    JournalTrouble,
)
from capture_daemon.diagnosis.journal import Journal
from capture_daemon.diagnosis.records import DiagnosedDevice, Holder, Holders, KernelLog, Line
from capture_daemon.diagnosis.tools import Tools
from capture_daemon.settings.spec import SourceSpec, parse
from tests.helpers.waiting import until

UTC = 1_795_387_146_000_000_000
CHEESE = Holder(4712, "cheese", "ada", UTC, "", ("descriptor",), False)
LINE = Line(UTC, "usb 1-1: USB disconnect", "it left the bus")


CAMERA = DiagnosedDevice("/dev/video0", 1, "1-1")


class Asked(Tools):
    """Answers as its bench says."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def device(self, source: SourceSpec | None) -> DiagnosedDevice | None:
        return self.bench.device

    def holders(self, rdev: int) -> Holders:
        self.bench.hang.wait()
        if self.bench.failure is not None:
            raise self.bench.failure
        self.bench.asked.append(rdev)
        return Holders((CHEESE,), 2)

    def kernel_log(self, port: str, since_utc_ns: int) -> KernelLog:
        self.bench.asked.append((port, since_utc_ns))
        return KernelLog((LINE,))


@dataclass
class Bench(Journal):
    """A machine and a disk that do as they are told."""

    device: DiagnosedDevice | None = CAMERA
    source: SourceSpec | None = field(default_factory=lambda: parse("v4l2:/dev/video0"))
    asked: list[object] = field(default_factory=list)
    reports: list[DiagnosticsReport] = field(default_factory=list)
    disk: list[Mapping[str, object]] = field(default_factory=list)
    failure: Exception | None = None
    hang: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hang.set()
        self.thread = DiagnosticsThread(
            tools=Asked(self), journal=self, source=lambda: self.source, post=self.reports.append
        )
        self.thread.start()

    def append(self, document: Mapping[str, object]) -> None:
        if self.failure is not None:
            raise self.failure
        self.disk.append(document)

    def read(self) -> list[dict[str, object]]:
        if self.failure is not None:
            raise self.failure
        return [dict(each) for each in self.disk]

    def next(self) -> DiagnosticsReport:
        until(lambda: self.reports)
        return self.reports.pop(0)

    def evidence(self) -> EvidenceFound:
        self.thread.evidence("1", UTC, holders=True)
        report = self.next()
        assert isinstance(report, EvidenceFound)
        return report


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.hang.set()
    bench.thread.quit()
    bench.thread.join(30)
    assert not bench.thread.is_alive()


def test_evidence_is_who_has_the_device_and_what_the_kernel_said_since_before(
    bench: Bench,
) -> None:
    found = bench.evidence()
    assert bench.asked == [1, ("1-1", UTC - BEFORE_NS)]
    assert found.evidence.holders[0]["pid"] == 4712
    assert found.evidence.kernel_log[0]["meaning"] == "it left the bus"
    assert "2 processes could not be looked into" in found.evidence.notes[0]


@pytest.mark.parametrize("now", [None, DiagnosedDevice("", 1, "")], ids=["closed", "still open"])
def test_a_device_that_is_gone_is_remembered(bench: Bench, now: DiagnosedDevice | None) -> None:
    bench.thread.learn_device()
    bench.evidence()
    bench.asked.clear()
    bench.device = now
    bench.evidence()
    assert bench.asked == [1, ("1-1", UTC - BEFORE_NS)]


@pytest.mark.parametrize("now", [None, DiagnosedDevice("", 1, "")], ids=["closed", "still open"])
def test_of_a_device_that_went_before_it_was_known_all_of_usb_is_read(
    bench: Bench, now: DiagnosedDevice | None
) -> None:
    bench.device = now
    bench.evidence()
    assert bench.asked[-1] == ("", UTC - BEFORE_NS)


def test_a_camera_that_is_not_on_usb_has_no_port_to_read_about(bench: Bench) -> None:
    bench.device = DiagnosedDevice("/dev/video0", 1, "")
    assert bench.evidence().evidence.kernel_log == ()


def test_another_source_has_neither_holders_nor_a_port(bench: Bench) -> None:
    bench.device, bench.source = None, parse("test")
    found = bench.evidence().evidence
    assert (found.holders, found.kernel_log, found.notes) == ((), (), ())


def test_a_machine_without_proc_is_told_as_what_could_not_be_seen(bench: Bench) -> None:
    bench.failure = FileNotFoundError(2, "No such file or directory", "/proc")
    assert "processes cannot be seen" in bench.evidence().evidence.notes[0]


def test_a_bug_in_one_question_does_not_end_the_thread(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.failure = ValueError("a bug")
    bench.thread.look_for_holders()
    until(lambda: caplog.records)
    report = bench.next()  # who asked waits for it
    assert isinstance(report, HoldersSeen)
    assert "bug" in report.holders.notes()[0]
    bench.failure = None
    bench.thread.look_for_holders()
    report = bench.next()
    assert isinstance(report, HoldersSeen)
    assert (report.device, report.holders.found) == ("/dev/video0", (CHEESE,))


def test_a_full_disk_is_counted_and_an_end_of_it_is_told(bench: Bench) -> None:
    bench.failure = OSError(28, "No space left on device")
    bench.thread.write({"id": "1"})
    bench.thread.write({"id": "2"})
    assert bench.next() == JournalTrouble("No space left on device", 1)
    assert bench.next() == JournalTrouble("No space left on device", 2)
    bench.failure = None
    bench.thread.write({"id": "3"})
    assert bench.next() == JournalTrouble(None, 2)
    assert bench.disk == [{"id": "3"}]


def test_what_earlier_daemons_left_open_is_read_as_such(bench: Bench) -> None:
    bench.disk = [{"id": "1", "ended_utc_ns": None, "notes": []}]
    bench.thread.read_journal()
    report = bench.next()
    assert isinstance(report, JournalRead)
    assert report.incidents[0]["notes"] == ["the daemon ended before frames came back"]


def test_while_one_question_hangs_further_ones_wait_and_too_many_are_counted(
    bench: Bench,
) -> None:
    bench.hang.clear()
    bench.thread.look_for_holders()
    for _ in range(QUEUED_MAX + 10):
        bench.thread.write({"id": "1"})
    assert bench.disk == []
    trouble = bench.reports[-1]
    assert isinstance(trouble, JournalTrouble)
    assert trouble.unwritten > 0
    assert not bench.thread.look_for_holders()
    bench.hang.set()
    until(lambda: bench.reports[-1] == JournalTrouble(None, trouble.unwritten))
    until(lambda: len(bench.disk) + trouble.unwritten == QUEUED_MAX + 10)
