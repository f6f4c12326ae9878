"""The device's lock: taken before the device is opened, left after it is closed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from framebus.errors import CameraHeld, UsageError
from framebus.names import device_lock

from capture_daemon.ownership.inherited_device import InheritedDevice
from capture_daemon.ownership.keeper_client import KeeperClient
from capture_daemon.ownership.locks import Locks
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    LastFrame,
    Request,
    SourceError,
)
from tests.helpers.descriptors import none_left
from tests.helpers.locks import lock_held_on

NODE = "/dev/full"  # a character device that every machine has, and nobody opens
GRANTED = Granted("MJPG", 640, 480, 30.0, NODE)
STATUS = {
    "source": {
        "spec": f"v4l2:{NODE}",
        "requested": {"width": 640, "height": None, "fps": None},
        "granted": {"fourcc": "MJPG", "width": 640, "height": 480, "fps": 30.0},
    }
}


class Keeper(KeeperClient):
    """One that is there, and of which is noted what it is asked."""

    def __init__(self, events: list[str]) -> None:
        super().__init__({"NOTIFY_SOCKET": "@nobody"})
        self._events = events

    def keep(self, fd: int) -> None:
        self._events.append(f"keep {fd}")

    def let_go(self) -> None:
        self._events.append("let go")


class Device:
    """A source whose open device could outlive this process."""

    def __init__(self, lock: Path, events: list[str]) -> None:
        self._lock = lock
        self.events = events
        self.error: SourceError | None = None
        self.granted = GRANTED
        self.adopted = -1

    def open(self) -> Granted:
        self.events.append(f"open, locked: {self._lock.exists()}")
        if self.error is not None:
            raise self.error
        return self.granted

    def adopt(self, fd: int, last: LastFrame | None = None) -> Granted:
        self.adopted = fd
        self.events.append(f"adopt after {last.device_sequence if last else None}")
        if self.error is not None:
            os.close(fd)
            self.adopted = -1
            raise self.error
        return self.granted

    def fileno(self) -> int:
        return 77

    def read(self, timeout_s: float) -> Captured | None:
        return None

    def close(self) -> None:
        if self.adopted >= 0:
            os.close(self.adopted)
            self.adopted = -1
        self.events.append(f"close, locked: {self._lock.exists()}")


def asking(text: str) -> CaptureRequest:
    return CaptureRequest(spec.parse(text), Request(width=640))


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return device_lock(tmp_path, os.stat(NODE).st_rdev)


@pytest.fixture
def device(lock: Path) -> Device:
    return Device(lock, [])


def sources(tmp_path: Path, device: Device, left: InheritedDevice | None = None) -> SourceOwner:
    return SourceOwner(
        locks=Locks(),
        runtime=tmp_path,
        keeper=Keeper(device.events),
        inherited=left,
        build=lambda _spec, _request, _interrupt: device,
    )


def left(node: str = NODE) -> tuple[InheritedDevice, int]:
    fd = os.open(node, os.O_RDONLY)
    return InheritedDevice(fd, STATUS, LastFrame(1, 41)), fd


def test_a_device_that_does_not_say_its_rate_is_gone_on_with() -> None:
    granted = Granted("MJPG", 640, 480, 0.0)
    status = {"source": {"granted": {"fourcc": "MJPG", "width": 640, "height": 480, "fps": None}}}
    inherited = InheritedDevice(os.open(NODE, os.O_RDONLY), status, None)
    inherited.check_granted(granted)
    inherited.close()


def is_open(node: str) -> bool:
    return any(
        file.is_symlink() and os.readlink(file) == node for file in Path("/proc/self/fd").iterdir()
    )


def test_a_device_is_locked_and_kept_while_it_is_open(
    tmp_path: Path, device: Device, lock: Path, interrupt: Interrupt
) -> None:
    bus = sources(tmp_path, device)
    kind, source, granted = bus.open(asking(f"v4l2:{NODE}"), interrupt)
    assert (kind, source, granted) == ("v4l2", device, GRANTED)
    bus.check(asking(f"v4l2:{NODE}"))  # our own is no obstacle
    assert bus.kept
    bus.close()
    assert device.events == [
        *("let go", "open, locked: True", "keep 77"),
        *("let go", "close, locked: True"),
    ]
    assert not lock.exists()
    assert not bus.kept


def test_a_device_that_does_not_open_is_neither_kept_nor_locked(
    tmp_path: Path, device: Device, lock: Path, interrupt: Interrupt
) -> None:
    device.error = SourceError("device-busy", "busy")
    bus = sources(tmp_path, device)
    with pytest.raises(SourceError, match="busy"):
        bus.open(asking(f"v4l2:{NODE}"), interrupt)
    assert not any(event.startswith("keep") for event in device.events)
    assert not lock.exists()


def test_a_device_of_another_daemon_is_refused_and_its_pid_named(
    tmp_path: Path, device: Device, lock: Path, interrupt: Interrupt
) -> None:
    bus = sources(tmp_path, device)
    with lock_held_on(lock) as pid:
        with pytest.raises(CameraHeld, match=str(pid)):
            bus.check(asking(f"v4l2:{NODE}"))
        with pytest.raises(SourceError, match=str(pid)) as error:
            bus.open(asking(f"v4l2:{NODE}"), interrupt)
        assert (error.value.code, error.value.permanent) == ("held", False)


def test_a_source_without_a_device_needs_no_lock(
    tmp_path: Path, device: Device, interrupt: Interrupt
) -> None:
    bus = sources(tmp_path, device)
    assert bus.open(asking("test"), interrupt)[0] == "test"
    assert list(tmp_path.iterdir()) == []
    bus.close()


def test_a_camera_that_is_not_there_is_no_error_but_a_missing_file_is(
    tmp_path: Path, device: Device
) -> None:
    bus = sources(tmp_path, device)
    bus.check(asking("v4l2:/dev/video-absent"))
    with pytest.raises(UsageError, match="not there"):
        bus.check(asking(f"file:{tmp_path}/absent.mjpeg"))


def test_what_a_predecessor_left_is_gone_on_with_once(
    tmp_path: Path, device: Device, interrupt: Interrupt
) -> None:
    inherited, fd = left()
    bus = sources(tmp_path, device, inherited)
    kind, _, granted = bus.open(asking(f"v4l2:{NODE}"), interrupt)
    assert (kind, granted, device.adopted) == ("v4l2", GRANTED, fd)
    # The keeper has let go before, so that a crash here is not repeated for ever.
    assert device.events == ["let go", "adopt after 41", "keep 77"]
    bus.open(asking(f"v4l2:{NODE}"), interrupt)
    assert device.events[3:] == [
        *("let go", "close, locked: True", "open, locked: True", "keep 77")
    ]
    bus.close()


@pytest.mark.parametrize("doubt", ["request", "device", "granted", "dead", "file"])
def test_in_doubt_the_device_is_closed_and_opened_afresh(
    tmp_path: Path, device: Device, interrupt: Interrupt, doubt: str
) -> None:
    node = {"device": "/dev/zero", "file": __file__}.get(doubt, NODE)
    inherited, _ = left(node)
    assert is_open(node)
    wanted = asking(f"v4l2:{NODE}")
    match doubt:
        case "request":
            wanted = CaptureRequest(wanted.spec, Request(width=1280))
        case "granted":
            device.granted = Granted("MJPG", 1280, 480, 30.0, NODE)
        case "dead":
            device.error = SourceError("device-gone", "unplugged meanwhile")
    if doubt != "file":  # what a killed daemon leaves
        device_lock(tmp_path, os.stat(node).st_rdev).touch()
    bus = sources(tmp_path, device, inherited)
    if doubt == "dead":
        with pytest.raises(SourceError, match="unplugged"):
            bus.open(wanted, interrupt)
    else:
        bus.open(wanted, interrupt)
    assert not is_open(node)
    assert "open, locked: True" in device.events
    bus.close()
    assert not list(tmp_path.iterdir()), "a lock file is left"


def test_the_fallback_never_opens_the_cameras_device(
    tmp_path: Path, device: Device, interrupt: Interrupt
) -> None:
    camera = spec.parse(f"v4l2:{NODE}")
    fallback = SourceOwner(
        locks=Locks(),
        runtime=tmp_path,
        keeper=Keeper(device.events),
        apart_from=lambda: camera,
        build=lambda _spec, _request, _interrupt: device,
    )
    for same in (f"v4l2:{NODE}", f"v4l2:/dev/../{NODE}"):
        with pytest.raises(SourceError, match="the camera itself") as error:
            fallback.open(asking(same), interrupt)
        assert error.value.permanent
        with pytest.raises(UsageError, match="the camera itself"):
            fallback.check_apart(spec.parse(same), camera)
    assert not any(event.startswith("open") for event in device.events)
    for other in ("v4l2:/dev/zero", "v4l2:/dev/nowhere", "test"):
        fallback.check_apart(spec.parse(other), camera)
    fallback.open(asking("v4l2:/dev/zero"), interrupt)
    fallback.close()


def test_a_device_that_cannot_be_locked_for_want_of_a_descriptor_is_not_opened_and_tried_again(
    tmp_path: Path, device: Device, interrupt: Interrupt
) -> None:
    bus = sources(tmp_path, device)
    with none_left(), pytest.raises(SourceError) as raised:
        bus.open(asking(f"v4l2:{NODE}"), interrupt)
    assert raised.value.code == "no-descriptors"
    assert not [each for each in device.events if each.startswith("open")]
