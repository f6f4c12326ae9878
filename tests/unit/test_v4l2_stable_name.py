"""A camera named by a number is known by what the number meant when it was opened."""

from __future__ import annotations

from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2.stable_name import StableName


class Bus:
    """Which name leads to which node."""

    def __init__(self, **nodes: str) -> None:
        self.nodes = {name.replace("_", ":"): node for name, node in nodes.items()}

    def resolve(self, name: str) -> str:
        if name.startswith("/dev/") and name in self.nodes.values():
            return name
        if name in self.nodes:
            return self.nodes[name]
        raise SourceError("device-absent", f"no {name}")

    def lookup(self, node: str) -> str:
        for name, found in self.nodes.items():
            if found == node:
                return name
        raise SourceError("device-absent", f"no {node}")

    def name(self, given: str) -> StableName:
        return StableName(given, resolve=self.resolve, lookup=self.lookup)


def test_a_number_means_the_camera_that_it_meant_when_it_was_opened() -> None:
    bus = Bus(usb_A="/dev/video0")
    name = bus.name("/dev/video0")
    assert name.node() == "/dev/video0"
    name.opened("/dev/video0")
    bus.nodes = {"usb:A": "/dev/video2", "usb:B": "/dev/video0"}
    assert name.node() == "/dev/video2"


def test_another_camera_at_the_number_is_taken_only_while_the_first_is_away() -> None:
    bus = Bus(usb_A="/dev/video0")
    name = bus.name("/dev/video0")
    name.opened(name.node())
    bus.nodes = {"usb:B": "/dev/video0"}
    assert name.node() == "/dev/video0"


def test_a_name_that_is_no_number_stays_what_it_is() -> None:
    bus = Bus(usb_A="/dev/video0", front="/dev/video0")
    name = bus.name("front")
    name.opened(name.node())
    bus.nodes = {"usb:A": "/dev/video1", "front": "/dev/video5"}
    assert name.node() == "/dev/video5"


def test_a_camera_without_a_stable_name_is_found_by_its_number() -> None:
    bus = Bus()
    bus.nodes = {"usb:B": "/dev/video0"}
    name = StableName("/dev/video0", resolve=bus.resolve, lookup=Bus().lookup)
    name.opened("/dev/video0")
    assert name.node() == "/dev/video0"
