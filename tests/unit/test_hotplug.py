"""What is made of udev's events: a fake monitor on a real pipe, and the real one opened."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from capture_daemon.hotplug import Hotplug, open_hotplug


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


def test_only_what_is_added_counts(monitor: Monitor) -> None:
    hotplug = Hotplug(monitor)
    assert hotplug.added() == []
    monitor.send(
        Event("remove", "/dev/video0"),
        Event("add", "/dev/video1"),
        Event("change", "/dev/video1"),
        Event("add", None),
        Event("add", "/dev/video2"),
    )
    fd = hotplug.fileno()
    assert fd is not None
    assert select.select([fd], [], [], 0)[0]
    assert hotplug.added() == ["/dev/video1", "/dev/video2"]


def test_lost_events_might_have_been_any(monitor: Monitor) -> None:
    monitor.send(OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS)))
    assert Hotplug(monitor).added() == [""]


def test_without_libudev_nothing_is_heard_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pyudev", None)
    hotplug = open_hotplug()
    assert (hotplug.fileno(), hotplug.added(), hotplug.added()) == (None, [], [])
    assert len(caplog.records) == 1
    assert "libudev" in caplog.text


def test_the_kernels_events_can_be_listened_to_where_no_udevd_runs(tmp_path: Path) -> None:
    hotplug = open_hotplug(tmp_path / "no-udevd")
    assert hotplug.fileno() is not None
    assert hotplug.added() == []
