"""A source that blocks as an ioctl does: it heeds no interrupt, and returns when a test lets it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from framebus.errors import CommandRefused

from capture_daemon.lifecycle.pipeline import SourceAccess
from capture_daemon.sources.base import Captured, Granted, SourceError
from tests.contract.daemon_bench import Bench, owner_of, running
from tests.fakes.rung_executors import NoRungs
from tests.helpers.waiting import until
from tests.samples.small_jpeg import WHOLE

GAIN: dict[str, object] = {"id": 1, "name": "gain", "type": "integer", "min": 0, "max": 9}


class StubbornSource:
    """Gives a frame every 10 ms, unless told to block at one of its calls."""

    def __init__(self) -> None:
        self.may = {name: threading.Event() for name in ("open", "read", "set_controls")}
        for event in self.may.values():
            event.set()
        self.blocked: set[str] = set()
        """The calls that wait to be let go on."""
        self.opened = 0
        self.gain = 3
        self.broken = False
        self._sequence = 0

    def open(self) -> Granted:
        self._pass("open")
        self.opened += 1
        return Granted("MJPG", 64, 32, 100.0, device="a stubborn device")

    def read(self, timeout_s: float) -> Captured | None:
        self._pass("read")
        if self.broken:
            raise ZeroDivisionError("a bug in the source")
        time.sleep(0.01)  # the frame interval
        self._sequence += 1
        return Captured(WHOLE, time.monotonic_ns(), self._sequence)

    def close(self) -> None:
        if self.broken:
            raise OSError("close must not raise, but this one does")

    def formats(self) -> list[dict[str, object]]:
        return [{"fourcc": "MJPG", "description": "", "sizes": []}]

    def controls(self) -> list[dict[str, object]]:
        return [{**GAIN, "value": self.gain}]

    def set_controls(self, values: Mapping[str, object]) -> Mapping[str, object]:
        self._pass("set_controls")
        if values.get("gain") == 7:
            raise SourceError("control-refused", "the camera refused 7", remedy="try 6")
        self.gain = int(str(values["gain"]))
        return {"gain": self.gain}

    def _pass(self, call: str) -> None:
        if not self.may[call].is_set():
            self.blocked.add(call)
            self.may[call].wait()
            self.blocked.discard(call)


@contextmanager
def running_over(runtime: Path, source: StubbornSource) -> Iterator[Bench]:
    """Run a daemon that captures from `source`; nothing blocks any more when it is to end."""
    camera, spare = (
        SourceAccess(owner_of(of, runtime), NoRungs()) for of in (source, StubbornSource())
    )
    with running(runtime, source="test", camera=camera, spare=spare) as bench:
        yield bench
        for event in source.may.values():
            event.set()


def until_described(bench: Bench) -> None:
    """Wait until the source has said what it offers."""

    def described() -> bool:
        try:
            return bool(bench.call("formats")["formats"])
        except CommandRefused:
            return False

    until(described)
