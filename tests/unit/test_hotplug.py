"""What is made of udev's events: a fake monitor on a real pipe, and the real one opened."""

from __future__ import annotations

import errno
import os
import select
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from capture_daemon.devices.hotplug import Hotplug, open_monitor
from tests.helpers.descriptors import none_left
from tests.helpers.waiting import until


@dataclass
class Event:
    action: str | None
    device_node: str | None


@dataclass
class Monitor:
    """Events that become readable as they are sent."""

    events: list[Event | OSError] = field(default_factory=list)
    ends: tuple[int, int] = field(default_factory=os.pipe)

    def send(self, *events: Event | OSError) -> None:
        self.events += events
        os.write(self.ends[1], b"x")

    def fileno(self) -> int:
        return self.ends[0]

    def poll(self, timeout: float | None = None) -> Event | None:
        assert timeout == 0, "the main thread never waits"
        event = self.events.pop(0) if self.events else None
        if isinstance(event, OSError):
            raise event
        return event


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    monitor = Monitor()
    yield monitor
    for end in monitor.ends:
        os.close(end)


def listening(monitor: Monitor) -> Hotplug:
    hotplug = Hotplug(lambda: None)
    assert hotplug.use(monitor) == monitor.fileno()
    return hotplug


def test_only_what_is_added_counts(monitor: Monitor) -> None:
    hotplug = listening(monitor)
    assert hotplug.added() == []
    monitor.send(
        Event("remove", "/dev/video0"),
        Event("add", "/dev/video1"),
        Event("change", "/dev/video1"),
        Event("add", None),
        Event("add", "/dev/video2"),
    )
    assert select.select([monitor], [], [], 0)[0]
    assert hotplug.added() == ["/dev/video1", "/dev/video2"]


def test_lost_events_might_have_been_any(monitor: Monitor) -> None:
    monitor.send(OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS)))
    assert listening(monitor).added() == [""]


class WithoutLibudev(ModuleType):
    """pyudev where there is no libudev."""

    def __getattr__(self, name: str) -> NoReturn:
        raise ImportError("No library named udev")


@pytest.mark.parametrize(
    ("pyudev", "remedy"),
    [(None, "-m pip install pyudev`"), (WithoutLibudev("pyudev"), "`apt install libudev1`")],
)
def test_without_pyudev_nothing_is_heard_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    pyudev: ModuleType | None,
    remedy: str,
) -> None:
    monkeypatch.setitem(sys.modules, "pyudev", pyudev)
    hotplug = Hotplug(lambda: None)
    assert hotplug.use(open_monitor()) is None
    assert (hotplug.added(), hotplug.added()) == ([], [])
    assert len(caplog.records) == 1
    assert remedy in caplog.text


def test_a_shortage_of_descriptors_is_not_told_as_an_absent_library(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with none_left():
        assert open_monitor() is None
    assert "ulimit" in caplog.text
    assert "libudev1" not in caplog.text


def test_the_kernels_events_can_be_listened_to_where_no_udevd_runs(tmp_path: Path) -> None:
    opened = open_monitor(tmp_path / "no-udevd")
    assert opened is not None
    assert select.select([opened.fileno()], [], [], 0)[0] == []
    assert opened.poll(0) is None


def test_the_monitor_is_opened_in_a_thread_of_its_own_and_posted(monitor: Monitor) -> None:
    posted: list[object] = []
    hotplug = Hotplug(lambda: monitor, after_s=0.0)
    hotplug.start(posted.append)
    until(lambda: posted)
    assert posted == [monitor]
    hotplug.close()


def test_a_daemon_that_ends_at_once_is_posted_nothing(monitor: Monitor) -> None:
    posted: list[object] = []
    hotplug = Hotplug(lambda: monitor, after_s=60.0)
    hotplug.start(posted.append)
    hotplug.close()
    assert posted == []


def test_an_end_does_not_wait_for_an_import_that_hangs(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_daemon.devices.hotplug._END_S", 0.01)
    begun, may_return = threading.Event(), threading.Event()
    posted: list[object] = []

    def hang() -> Monitor:
        begun.set()
        may_return.wait()
        return monitor

    hotplug = Hotplug(hang, after_s=0.0)
    hotplug.start(posted.append)
    begun.wait()
    hotplug.close()
    assert posted == []
    may_return.set()
    until(lambda: not any(each.name == "hotplug" for each in threading.enumerate()))
    assert posted == [], "nobody listens any more"
