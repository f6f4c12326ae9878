from __future__ import annotations

from collections.abc import Mapping

import pytest
from framebus.cli.polling import TIMEOUT_S, configure, set_controls
from framebus.control.client import ControlClient
from framebus.control.protocol import INVALID_PARAMS, NOT_NOW
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
    assert daemon.now_s == pytest.approx(TIMEOUT_S, abs=0.3)


def test_value_that_the_camera_did_not_take_is_a_refusal() -> None:
    with pytest.raises(CommandRefused, match="brightness is 0, not 10"):
        run(Daemon(slow_s=1, value=0))


class Looking(Daemon):
    """Answers as the daemon does while a source takes `slow_s` seconds to be looked at."""

    code = NOT_NOW

    def call(self, method: str, params: Mapping[str, object] | None = None, **_: object) -> object:
        self.calls.append(method)
        if self.now_s < self.slow_s:
            raise CommandRefused("it takes long to look at", self.code)
        return {"changed": True}


def configured(daemon: Daemon) -> object:
    wanted = {"source": "file:/clips"}
    return configure(daemon, wanted, clock=daemon.clock, sleep=daemon.sleep)


def test_a_source_that_takes_long_to_look_at_is_asked_for_until_it_was() -> None:
    daemon = Looking(slow_s=1)
    assert configured(daemon) == {"changed": True}
    assert set(daemon.calls) == {"configure"}


def test_a_source_that_hangs_is_refused_in_the_end_and_one_that_does_not_fit_at_once() -> None:
    daemon = Looking(slow_s=1e9)
    with pytest.raises(CommandRefused, match="takes long"):
        configured(daemon)
    assert daemon.now_s == pytest.approx(TIMEOUT_S, abs=0.3)
    daemon = Looking(slow_s=1)
    daemon.code = INVALID_PARAMS
    with pytest.raises(CommandRefused):
        configured(daemon)
    assert daemon.now_s == 0
