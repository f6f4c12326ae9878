"""The executor over a sysfs of ordinary files: what it does, by whom, and what it leaves alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_daemon.devices.sysfs import BadPort, UsbPort, has_video_interface, port_of
from capture_daemon.recovery.actions import PortActions, RungFailed
from capture_daemon.recovery.executor import Executor
from capture_daemon.recovery.holding import Holding, nobody
from capture_daemon.recovery.rungs import DEVICE_LEVEL, Result, Rung
from capture_daemon.sources.base import Captured, Granted, Interrupt, SourceError
from tests.usbtree import CAMERA, RDEV, STICK, UsbTree

ON_THE_PORT = (Rung.REBIND, Rung.USB_RESET, Rung.REAUTHORIZE)


class CameraSource:
    """A source with a device, there or not."""

    def __init__(self, node: Path) -> None:
        self.path = node
        self.there = True
        self.forgot = 0
        self.name = ""
        self.port: UsbPort | None = None

    @property
    def rdev(self) -> int:
        return RDEV if self.node else 0

    @property
    def node(self) -> str:
        if not self.there:
            raise SourceError("device-absent", "gone")
        return str(self.path)

    def forget_refusals(self) -> None:
        self.forgot += 1

    def open(self) -> Granted:
        raise NotImplementedError

    def read(self, timeout_s: float) -> Captured | None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


class Helper:
    """Takes notes, or refuses."""

    def __init__(self) -> None:
        self.there = False
        self.asked: list[tuple[Rung, str]] = []
        self.refuses = ""

    def usable(self) -> bool:
        return self.there

    def carry_out(self, rung: Rung, port: str) -> str:
        self.asked.append((rung, port))
        if self.refuses:
            raise RungFailed(self.refuses)
        return "the helper did it"


class Unprivileged(PortActions):
    """As an ordinary user: no file of the port may be written."""

    def permitted(self, rung: Rung, port: UsbPort) -> bool:
        return False


class Rig:
    def __init__(self, root: Path, runtime: Path) -> None:
        self.tree = UsbTree(root)
        self.helper = Helper()
        self.resets: list[int] = []
        self.pauses: list[float] = []
        self.interrupt = Interrupt()
        node = root / "video0"
        node.write_text("")
        self.source = CameraSource(node)
        self.runtime = runtime

    def executor(self, *, root: bool = True, power_ports: tuple[str, ...] = ()) -> Executor:
        kind = PortActions if root else Unprivileged
        executor = Executor(
            actions=kind(pause=self.pauses.append, reset=self.resets.append),
            helper=self.helper,
            holding=Holding(runtime=self.runtime, own_lock=self.runtime / "x", find=nobody),
            end_holders=False,
            power_ports=power_ports,
            places=self.tree.places,
        )
        executor.survey(self.source)
        return executor


@pytest.fixture
def rig(tmp_path: Path, runtime: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, runtime)
    yield rig
    rig.interrupt.close()


def unavailable(executor: Executor, rig: Rig) -> dict[Rung, str]:
    return {each.rung: each.reason for each in executor.survey(rig.source)}


def test_rebinding_unbinds_and_binds_the_control_interface(rig: Rig) -> None:
    rig.tree.plug("1-1.2")
    outcome = rig.executor().climb(Rung.REBIND, 0, rig.interrupt)
    assert outcome.result is Result.DONE
    assert rig.tree.written("unbind") == rig.tree.written("bind") == "1-1.2:1.0"


def test_a_driver_that_is_bound_to_nothing_is_only_bound(rig: Rig) -> None:
    port = rig.tree.plug("1-1.2")
    (port.folder / "1-1.2:1.0" / "driver").unlink()
    assert rig.executor().climb(Rung.REBIND, 0, rig.interrupt).result is Result.DONE
    assert (rig.tree.written("unbind"), rig.tree.written("bind")) == ("", "1-1.2:1.0")


def test_a_usb_reset_is_one_on_the_devices_usbfs_node(rig: Rig) -> None:
    rig.tree.plug()
    assert rig.executor().climb(Rung.USB_RESET, 0, rig.interrupt).result is Result.DONE
    assert len(rig.resets) == 1


def test_reauthorising_switches_off_waits_a_second_and_on(rig: Rig) -> None:
    port = rig.tree.plug()
    assert rig.executor().climb(Rung.REAUTHORIZE, 0, rig.interrupt).result is Result.DONE
    assert (rig.pauses, (port.folder / "authorized").read_text()[:1]) == ([1.0], "1")


def test_a_device_is_authorised_again_whatever_happens_meanwhile(tmp_path: Path) -> None:
    port = UsbTree(tmp_path).plug()

    def fails(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PortActions(pause=fails).carry_out(Rung.REAUTHORIZE, port)
    assert (port.folder / "authorized").read_text()[:1] == "1"


@pytest.mark.parametrize("rung", ON_THE_PORT)
def test_without_the_permission_the_helper_is_asked_for_verb_and_port(rig: Rig, rung: Rung) -> None:
    rig.tree.plug("1-1.2")
    rig.helper.there = True
    outcome = rig.executor(root=False).climb(rung, 0, rig.interrupt)
    assert (outcome.result, outcome.note) == (Result.DONE, "the helper did it")
    assert rig.helper.asked == [(rung, "1-1.2")]
    assert rig.tree.written("bind") == ""


@pytest.mark.parametrize("rung", ON_THE_PORT)
def test_without_permission_and_helper_the_remedy_names_what_grants_it(
    rig: Rig, rung: Rung
) -> None:
    rig.tree.plug()
    executor = rig.executor(root=False)
    (found,) = [each for each in executor.survey(rig.source) if each.rung is rung]
    assert "may not be written" in found.reason
    assert "framebus-privileged.socket" in found.remedy
    outcome = executor.climb(rung, 0, rig.interrupt)
    assert (outcome.result, outcome.remedy) == (Result.UNAVAILABLE, found.remedy)
    assert rig.helper.asked == []


def test_what_the_helper_refuses_is_unavailable(rig: Rig) -> None:
    rig.tree.plug()
    rig.helper.there, rig.helper.refuses = True, "too often"
    outcome = rig.executor(root=False).climb(Rung.USB_RESET, 0, rig.interrupt)
    assert (outcome.result, outcome.note) == (Result.UNAVAILABLE, "too often")


def test_what_the_device_refused_is_forgotten_once_a_rung_was_carried_out(rig: Rig) -> None:
    rig.tree.plug()
    executor = rig.executor()
    executor.climb(Rung.USB_RESET, 0, rig.interrupt)
    assert rig.source.forgot == 1
    rig.helper.there, rig.helper.refuses = True, "too often"
    rig.executor(root=False).climb(Rung.USB_RESET, 0, rig.interrupt)
    assert rig.source.forgot == 1


def test_the_port_is_remembered_when_the_node_has_vanished(rig: Rig) -> None:
    rig.tree.plug()
    executor = rig.executor()
    rig.source.there = False
    assert not set(ON_THE_PORT) & unavailable(executor, rig).keys()
    outcome = executor.climb(Rung.USB_RESET, 0, rig.interrupt)
    assert len(rig.resets) == 1
    assert "not back" in outcome.note


@pytest.mark.parametrize("name", ["", "usb:046d:082d"])
def test_the_port_is_remembered_for_another_source_of_the_same_name(rig: Rig, name: str) -> None:
    rig.tree.plug()
    rig.source.name = name
    executor = rig.executor()
    rig.source = CameraSource(rig.source.path)
    rig.source.there, rig.source.name = False, name
    assert bool(name) is (Rung.USB_RESET not in unavailable(executor, rig))


def test_an_empty_port_and_one_with_another_device_are_left_alone(rig: Rig) -> None:
    port = rig.tree.plug()
    executor = rig.executor()
    rig.source.there = False
    (port.folder / "idProduct").write_text("9999")
    assert set(ON_THE_PORT) <= unavailable(executor, rig).keys()
    shutil.rmtree(port.folder)
    assert "nothing is plugged into 1-1.2" in unavailable(executor, rig)[Rung.USB_RESET]
    assert executor.climb(Rung.REBIND, 0, rig.interrupt).result is Result.UNAVAILABLE
    assert (rig.resets, rig.tree.written("bind")) == ([], "")


def test_a_deauthorised_device_can_only_be_authorised(rig: Rig) -> None:
    port = rig.tree.plug()
    executor = rig.executor()
    (port.folder / "authorized").write_text("0\n")
    reasons = unavailable(executor, rig)
    assert reasons[Rung.REBIND] == reasons[Rung.USB_RESET] == "1-1.2 is deauthorised"
    assert Rung.REAUTHORIZE not in reasons


def test_a_camera_that_was_never_seen_is_found_in_its_port_by_its_name(rig: Rig) -> None:
    port = rig.tree.plug()
    rig.tree.deauthorise(port)
    rig.source.there = False
    executor = rig.executor()
    assert unavailable(executor, rig)[Rung.REAUTHORIZE] == "there is no USB camera"
    rig.source.port = port
    assert Rung.REAUTHORIZE not in unavailable(executor, rig)
    executor.climb(Rung.REAUTHORIZE, 0, rig.interrupt)
    assert port.authorized()


def test_a_camera_that_left_its_port_unseen_is_looked_for_by_its_name(rig: Rig) -> None:
    old = rig.tree.plug("1-1.2")
    executor = rig.executor()
    rig.source.there = False
    shutil.rmtree(old.folder)
    rig.source.port = rig.tree.plug("1-1.3")
    assert Rung.REBIND not in unavailable(executor, rig)
    executor.climb(Rung.REBIND, 0, rig.interrupt)
    assert rig.tree.written("bind") == "1-1.3:1.0"


@pytest.mark.parametrize("rung", [*ON_THE_PORT, Rung.PORT_POWER])
def test_a_camera_that_another_driver_has_is_left_alone(rig: Rig, rung: Rung) -> None:
    port = rig.tree.plug()
    link = port.folder / "1-1.2:1.0" / "driver"
    link.unlink()
    link.symlink_to(rig.tree.places.driver.with_name("usbfs"))
    executor = rig.executor(power_ports=("1-1.2",))
    assert "through the driver usbfs" in unavailable(executor, rig)[rung]
    assert executor.climb(rung, 0, rig.interrupt).result is Result.UNAVAILABLE


def test_a_source_without_a_usb_device_has_no_device_level_rung(rig: Rig) -> None:
    executor = rig.executor()
    assert unavailable(executor, rig).keys() >= DEVICE_LEVEL
    outcome = executor.climb(Rung.USB_RESET, 0, rig.interrupt)
    assert outcome.result is Result.UNAVAILABLE


def test_power_is_switched_on_listed_ports_only(rig: Rig) -> None:
    rig.tree.plug("1-1.2")
    rig.helper.there = True
    executor = rig.executor(root=False)
    assert "allowed by a person" in unavailable(executor, rig)[Rung.PORT_POWER]
    executor = rig.executor(root=False, power_ports=("1-1.2",))
    assert Rung.PORT_POWER not in unavailable(executor, rig)
    assert executor.climb(Rung.PORT_POWER, 0, rig.interrupt).result is Result.DONE
    assert rig.helper.asked == [(Rung.PORT_POWER, "1-1.2")]


@pytest.mark.parametrize(
    "name",
    ["", "1", "1-", "1-1.", "../1-1", "1-1/..", "1-1\n", "1-1:1.0", "usb1", "1-1.2\0", "\uff11-1"],
)
def test_what_is_no_port_is_none(name: str) -> None:
    with pytest.raises(BadPort):
        UsbPort(name)


@pytest.mark.parametrize(
    ("name", "hub", "number"), [("1-2", "1", "2"), ("1-1.2", "1-1", "2"), ("2-1.4.3", "2-1.4", "3")]
)
def test_a_port_is_a_number_on_a_hub(name: str, hub: str, number: str) -> None:
    assert (UsbPort(name).hub, UsbPort(name).number) == (hub, number)


def test_a_camera_is_told_by_its_descriptors_however_they_end(tmp_path: Path) -> None:
    assert has_video_interface(CAMERA)
    assert not has_video_interface(STICK)
    for end in range(len(CAMERA)):
        has_video_interface(CAMERA[:end])
    assert not has_video_interface(b"\0" * 50)


def test_a_device_number_leads_to_its_port(tmp_path: Path) -> None:
    tree = UsbTree(tmp_path)
    assert port_of(RDEV, tree.places) is None
    assert port_of(RDEV, tree.places) is None
    port = tree.plug("3-1.4")
    assert port_of(RDEV, tree.places) == port


def test_a_camera_that_is_pulled_out_while_it_is_looked_at_has_no_interfaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = UsbTree(tmp_path).plug()
    shutil.rmtree(port.folder)
    monkeypatch.setattr(Path, "is_dir", lambda self: True)  # a moment ago it was
    assert port.control_interfaces() == []
    assert port.other_driver() == ""
