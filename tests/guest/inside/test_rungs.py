"""The rungs of the recovery ladder on the real driver: each brings frames back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.contract.words import Rung

from capture_daemon.devices.hotplug import Hotplug, open_monitor
from capture_daemon.privileged.client import PrivilegedClient
from capture_daemon.recovery.actions import PortActions, RungFailed
from capture_daemon.recovery.executor import Executor
from capture_daemon.recovery.holding import Holding
from capture_daemon.recovery.rungs import Outcome, Result
from capture_daemon.sources.base import Interrupt, Request
from capture_daemon.v4l2.port_of_name import port_of_name
from capture_daemon.v4l2.source import V4L2Source
from tests.guest.camera.client import PluggedCamera, wait_for
from tests.guest.inside.conftest import Plug

KERNELS = ("stable", "newer")
SMALL = Request(width=320, height=240)
ON_THE_PORT = (Rung.REBIND, Rung.USB_RESET, Rung.REAUTHORIZE)
LIMIT_S = 90.0


class Bystander:
    """A camera with its source and its executor, as the daemon has them."""

    def __init__(self, camera: PluggedCamera, runtime: Path) -> None:
        self.camera = camera
        self.interrupt = Interrupt()
        self.source = V4L2Source(str(camera.wait_node()), SMALL, self.interrupt)
        self.executor = Executor(
            actions=PortActions(),
            helper=PrivilegedClient(runtime / "no-helper"),
            holding=Holding(runtime=runtime, own_lock=runtime / "camera.lock", find=lambda _: ()),
            end_holders=False,
            power_ports=(),
        )

    def frames(self, count: int = 3) -> None:
        """Read whole frames."""
        for _ in range(count):
            captured = self.source.read(20.0)
            assert captured is not None
            assert bytes(captured.data[:2]) == b"\xff\xd8"

    def run_rung(self, rung: Rung) -> Outcome:
        """Close, carry the rung out, open."""
        self.executor.survey(self.source)
        self.source.close()
        outcome = self.executor.run_rung(rung, 0.0, self.interrupt)
        self.source.open()
        return outcome


@pytest.fixture
def bystander(plug: Plug, runtime: Path) -> Iterator[Bystander]:
    one = Bystander(plug("bulk", serial="RUNG1"), runtime)
    one.source.open()
    one.frames()
    yield one
    one.source.close()
    one.interrupt.close()


def test_restarting_the_stream_ends_the_silence_after_five_failed_urbs(
    bystander: Bystander,
) -> None:
    bystander.camera.arm("urb-protocol", 5)
    wait_for(lambda: bystander.source.read(3.0) is None, "silence")
    bystander.source.restart_stream()
    bystander.frames()


def test_reopening_brings_frames_back(bystander: Bystander) -> None:
    bystander.camera.arm("urb-protocol", 5)
    wait_for(lambda: bystander.source.read(3.0) is None, "silence")
    bystander.source.close()
    bystander.source.open()
    bystander.frames()


@pytest.mark.parametrize("rung", ON_THE_PORT, ids=lambda rung: rung.value)
def test_a_rung_leaves_the_camera_streaming(bystander: Bystander, rung: Rung) -> None:
    assert bystander.run_rung(rung).result is Result.DONE
    bystander.frames()


def test_a_wedged_camera_is_cured_by_a_usb_reset_and_not_by_less(bystander: Bystander) -> None:
    bystander.camera.arm("wedged")
    wait_for(lambda: bystander.source.read(3.0) is None, "silence")
    bystander.source.restart_stream()
    assert bystander.source.read(3.0) is None
    assert bystander.run_rung(Rung.REBIND).result is Result.DONE
    assert bystander.source.read(3.0) is None
    assert bystander.run_rung(Rung.USB_RESET).result is Result.DONE
    bystander.frames()


def test_a_camera_that_refused_its_driver_is_asked_by_binding_it_until_it_is_well(
    bystander: Bystander,
) -> None:
    executor, interrupt = bystander.executor, bystander.interrupt
    executor.survey(bystander.source)
    bystander.source.close()
    bystander.camera.arm("probe-refused")
    assert executor.run_rung(Rung.USB_RESET, 0.0, interrupt).result is Result.NOTHING
    assert Rung.BIND not in {each.rung for each in executor.survey(bystander.source)}
    refused = executor.run_rung(Rung.BIND, 0.0, interrupt)
    assert (refused.result, "does not take" in refused.note) == (Result.NOTHING, True)
    bystander.camera.clear()
    assert executor.run_rung(Rung.BIND, 0.0, interrupt).result is Result.DONE
    assert Rung.BIND in {each.rung for each in executor.survey(bystander.source)}
    bystander.source.open()
    bystander.frames()


def test_a_deauthorised_camera_is_known_as_such_and_authorised_again(bystander: Bystander) -> None:
    bystander.executor.survey(bystander.source)
    bystander.source.close()
    (bystander.camera.device / "authorized").write_text("0")
    left = {each.rung for each in bystander.executor.survey(bystander.source)}
    assert {Rung.REBIND, Rung.USB_RESET} <= left
    assert Rung.REAUTHORIZE not in left
    assert bystander.run_rung(Rung.REAUTHORIZE).result is Result.DONE
    bystander.frames()


def test_a_camera_that_was_deauthorised_before_anybody_saw_it_is_found_by_its_name(
    plug: Plug,
) -> None:
    camera = plug("bulk", serial="RUNG0")
    node = camera.wait_node()
    links = (*Path("/dev/v4l/by-id").iterdir(), *Path("/dev/v4l/by-path").iterdir())
    names = ["usb:1209:0001:RUNG0", *(str(link) for link in links if link.resolve() == node)]
    assert len(names) == 3
    (camera.device / "authorized").write_text("0")
    wait_for(lambda: not node.exists(), "the node to go")
    for name in names:
        found = port_of_name(name)
        assert found is not None, name
        assert (found.name, found.authorized()) == (camera.device.name, False)


def test_an_empty_port_gets_no_rung(bystander: Bystander) -> None:
    bystander.executor.survey(bystander.source)
    bystander.source.close()
    bystander.camera.unplug()
    for rung in ON_THE_PORT:
        outcome = bystander.executor.run_rung(rung, 0.0, bystander.interrupt)
        assert outcome.result is Result.UNAVAILABLE
        assert "nothing is plugged" in outcome.note


def test_the_helper_resets_a_camera_but_not_too_often(plug: Plug, runtime: Path) -> None:
    camera = plug()
    port = camera.device.name
    with subprocess.Popen(
        [sys.executable, "-m", "capture_daemon.privileged", "--socket", str(runtime / "helper")]
    ) as helper:
        client = PrivilegedClient(runtime / "helper")
        wait_for(client.usable, "the helper", LIMIT_S)
        assert "was reset" in wait_for(lambda: asked(client, port), "an answer", LIMIT_S)
        camera.wait_node()
        with pytest.raises(RungFailed, match="too-often"):
            client.carry_out(Rung.REAUTHORIZE, port)
        assert "bound" in client.carry_out(Rung.REBIND, port)
        camera.wait_node()
        with pytest.raises(RungFailed, match="nothing is plugged into 1-99"):
            client.carry_out(Rung.USB_RESET, "1-99")
        helper.terminate()


def asked(client: PrivilegedClient, port: str) -> str:
    try:
        return client.carry_out(Rung.USB_RESET, port)
    except RungFailed:  # bound, and not listening yet
        return ""


@pytest.mark.parametrize("udevd", ["/run/udev/control", "/absent"], ids=["udev", "kernel"])
def test_a_camera_that_is_plugged_in_is_heard_of(plug: Plug, udevd: str) -> None:
    hotplug = Hotplug(lambda: None)
    assert hotplug.use(open_monitor(Path(udevd))) is not None
    node = str(plug().wait_node())
    heard: list[str] = []

    def is_heard() -> bool:
        heard.extend(hotplug.added())
        return node in heard

    wait_for(is_heard, "the camera's event")
