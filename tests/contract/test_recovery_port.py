"""Which port the executor works on, and which it leaves alone, over a sysfs of ordinary files."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.recovery.executor import Executor
from capture_daemon.recovery.rungs import Result
from tests.contract.executor_rig import ON_THE_PORT, CameraSource, Rig, unavailable


@pytest.fixture
def rig(tmp_path: Path, runtime: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, runtime)
    yield rig
    rig.interrupt.close()


def hurried(rig: Rig) -> Executor:
    """An executor that a second passes for at each look: the node it waits for never comes."""
    return rig.executor(clock=map(float, itertools.count()).__next__)


def test_the_port_is_remembered_when_the_node_has_vanished(rig: Rig) -> None:
    rig.tree.plug()
    executor = hurried(rig)
    rig.source.there = False
    assert not set(ON_THE_PORT) & unavailable(executor, rig).keys()
    outcome = executor.run_rung(Rung.USB_RESET, 0, rig.interrupt)
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
    assert executor.run_rung(Rung.REBIND, 0, rig.interrupt).result is Result.UNAVAILABLE
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
    executor = hurried(rig)
    assert unavailable(executor, rig)[Rung.REAUTHORIZE] == "there is no USB camera"
    rig.source.port = port
    assert Rung.REAUTHORIZE not in unavailable(executor, rig)
    executor.run_rung(Rung.REAUTHORIZE, 0, rig.interrupt)
    assert port.authorized()


def test_a_camera_that_left_its_port_unseen_is_looked_for_by_its_name(rig: Rig) -> None:
    old = rig.tree.plug("1-1.2")
    executor = hurried(rig)
    rig.source.there = False
    shutil.rmtree(old.folder)
    rig.source.port = rig.tree.plug("1-1.3")
    assert Rung.REBIND not in unavailable(executor, rig)
    executor.run_rung(Rung.REBIND, 0, rig.interrupt)
    assert rig.tree.written("bind") == "1-1.3:1.0"


@pytest.mark.parametrize("rung", [*ON_THE_PORT, Rung.PORT_POWER])
def test_a_camera_that_another_driver_has_is_left_alone(rig: Rig, rung: Rung) -> None:
    port = rig.tree.plug()
    link = port.folder / "1-1.2:1.0" / "driver"
    link.unlink()
    link.symlink_to(rig.tree.paths.driver.with_name("usbfs"))
    executor = rig.executor(power_ports=("1-1.2",))
    assert "through the driver usbfs" in unavailable(executor, rig)[rung]
    assert executor.run_rung(rung, 0, rig.interrupt).result is Result.UNAVAILABLE


def test_a_source_without_a_usb_device_has_no_device_level_rung(rig: Rig) -> None:
    executor = rig.executor()
    assert unavailable(executor, rig).keys() >= DEVICE_LEVEL
    outcome = executor.run_rung(Rung.USB_RESET, 0, rig.interrupt)
    assert outcome.result is Result.UNAVAILABLE


def test_a_camera_without_its_driver_has_it_bound_and_one_that_has_it_is_left_alone(
    rig: Rig,
) -> None:
    port = rig.tree.plug()
    executor = rig.executor()
    assert unavailable(executor, rig)[Rung.BIND] == "1-1.2 has its driver"
    assert executor.run_rung(Rung.BIND, 0, rig.interrupt).result is Result.UNAVAILABLE
    rig.tree.undrive(port)
    assert Rung.BIND not in unavailable(executor, rig)
    outcome = executor.run_rung(Rung.BIND, 0, rig.interrupt)
    assert (outcome.result, outcome.note) == (Result.DONE, "uvcvideo bound to 1-1.2")
    assert rig.connects == [0]


def test_a_camera_that_refuses_its_driver_may_be_asked_again(rig: Rig) -> None:
    port = rig.tree.plug()
    executor = rig.executor()
    rig.tree.undrive(port)
    rig.refuses_its_driver = True
    for _ in range(3):
        outcome = executor.run_rung(Rung.BIND, 0, rig.interrupt)
        assert (outcome.result, outcome.note) == (
            Result.NOTHING,
            "uvcvideo does not take 1-1.2:1.0",
        )
    assert Rung.BIND not in unavailable(executor, rig)


def test_after_a_reset_nobody_waits_for_the_node_of_a_camera_that_refused_its_driver(
    rig: Rig,
) -> None:
    port = rig.tree.plug()
    moments = iter(range(100))
    executor = rig.executor(clock=lambda: next(moments) / 10)
    rig.source.there = False
    rig.tree.undrive(port)
    assert executor.run_rung(Rung.USB_RESET, 0, rig.interrupt).result is Result.NOTHING
    assert next(moments) < 10
