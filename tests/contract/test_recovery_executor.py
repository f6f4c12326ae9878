"""The executor over a sysfs of ordinary files: what it does, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.contract.words import Rung

from capture_daemon.recovery.actions import PortActions
from capture_daemon.recovery.rungs import Result
from tests.contract.executor_rig import ON_THE_PORT, Rig, unavailable
from tests.fakes.usb_tree import UsbTree


@pytest.fixture
def rig(tmp_path: Path, runtime: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, runtime)
    yield rig
    rig.interrupt.close()


def test_rebinding_unbinds_and_binds_the_control_interface(rig: Rig) -> None:
    rig.tree.plug("1-1.2")
    outcome = rig.executor().run_rung(Rung.REBIND, 0, rig.interrupt)
    assert outcome.result is Result.DONE
    assert rig.tree.written("unbind") == rig.tree.written("bind") == "1-1.2:1.0"


def test_a_driver_that_is_bound_to_nothing_is_only_bound(rig: Rig) -> None:
    port = rig.tree.plug("1-1.2")
    (port.folder / "1-1.2:1.0" / "driver").unlink()
    assert rig.executor().run_rung(Rung.REBIND, 0, rig.interrupt).result is Result.DONE
    assert (rig.tree.written("unbind"), rig.tree.written("bind")) == ("", "1-1.2:1.0")


def test_a_usb_reset_is_one_on_the_devices_usbfs_node(rig: Rig) -> None:
    rig.tree.plug()
    assert rig.executor().run_rung(Rung.USB_RESET, 0, rig.interrupt).result is Result.DONE
    assert len(rig.resets) == 1


def test_reauthorising_switches_off_waits_a_second_and_on(rig: Rig) -> None:
    port = rig.tree.plug()
    assert rig.executor().run_rung(Rung.REAUTHORIZE, 0, rig.interrupt).result is Result.DONE
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
    outcome = rig.executor(root=False).run_rung(rung, 0, rig.interrupt)
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
    outcome = executor.run_rung(rung, 0, rig.interrupt)
    assert (outcome.result, outcome.remedy) == (Result.UNAVAILABLE, found.remedy)
    assert rig.helper.asked == []


def test_what_the_helper_refuses_is_unavailable(rig: Rig) -> None:
    rig.tree.plug()
    rig.helper.there, rig.helper.refuses = True, "too often"
    outcome = rig.executor(root=False).run_rung(Rung.USB_RESET, 0, rig.interrupt)
    assert (outcome.result, outcome.note) == (Result.UNAVAILABLE, "too often")


def test_what_the_device_refused_is_forgotten_once_a_rung_was_carried_out(rig: Rig) -> None:
    rig.tree.plug()
    executor = rig.executor()
    executor.run_rung(Rung.USB_RESET, 0, rig.interrupt)
    assert rig.source.forgot == 1
    rig.helper.there, rig.helper.refuses = True, "too often"
    rig.executor(root=False).run_rung(Rung.USB_RESET, 0, rig.interrupt)
    assert rig.source.forgot == 1


def test_power_is_switched_on_listed_ports_only(rig: Rig) -> None:
    rig.tree.plug("1-1.2")
    rig.helper.there = True
    executor = rig.executor(root=False)
    assert "allowed by a person" in unavailable(executor, rig)[Rung.PORT_POWER]
    executor = rig.executor(root=False, power_ports=("1-1.2",))
    assert Rung.PORT_POWER not in unavailable(executor, rig)
    assert executor.run_rung(Rung.PORT_POWER, 0, rig.interrupt).result is Result.DONE
    assert rig.helper.asked == [(Rung.PORT_POWER, "1-1.2")]
