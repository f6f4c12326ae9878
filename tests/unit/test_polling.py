from __future__ import annotations

from collections.abc import Mapping

import pytest
from framebus.cli.polling import PATIENCE_S, set_controls
from framebus.control.client import ControlClient
from framebus.errors import CommandRefused, ControlTimeout


class Daemon(ControlClient):
    """Answers as the daemon does while a camera takes `slow_s` seconds to take a control."""

    def __init__(self, slow_s: float, value: object = 10) -> None:
        self.now_s = 0.0
        self.slow_s = slow_s
        self.value = value
        self.calls: list[str] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def call(self, method: str, params: Mapping[str, object] | None = None, **_: object) -> object:
        self.calls.append(method)
        pending = ["brightness"] if self.now_s < self.slow_s else []
        if method == "set_controls":
            return {"applied": {} if pending else {"brightness": self.value}, "pending": pending}
        control = {"id": 1, "name": "brightness", "value": self.value}
        return {"controls": [control], "fresh": not pending, "pending": pending}


def run(daemon: Daemon) -> object:
    return set_controls(daemon, {"brightness": 10}, clock=daemon.clock, sleep=daemon.sleep)


def test_camera_that_answers_at_once_is_asked_once() -> None:
    daemon = Daemon(slow_s=0)
    assert run(daemon) == {"applied": {"brightness": 10}, "pending": []}
    assert daemon.calls == ["set_controls"]


def test_slow_camera_is_looked_at_until_it_has_taken_the_value() -> None:
    daemon = Daemon(slow_s=5)
    assert run(daemon) == {"applied": {"brightness": 10}, "pending": []}
    assert daemon.calls[0] == "set_controls"
    assert set(daemon.calls[1:]) == {"controls"}


def test_camera_that_never_answers_is_a_timeout_that_names_the_control() -> None:
    daemon = Daemon(slow_s=1e9)
    with pytest.raises(ControlTimeout, match="brightness"):
        run(daemon)
    assert daemon.now_s == pytest.approx(PATIENCE_S, abs=0.3)


def test_value_that_the_camera_did_not_take_is_a_refusal() -> None:
    with pytest.raises(CommandRefused, match="brightness is 0, not 10"):
        run(Daemon(slow_s=1, value=0))
