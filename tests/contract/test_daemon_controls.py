"""Setting a camera's controls through the daemon: at once, pending, refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus.errors import CommandRefused

from capture_daemon.control import refusal
from capture_daemon.control.pending_controls import MOST_PENDING
from tests.contract.daemon_bench import Bench
from tests.contract.stubborn import StubbornSource, running_over, until_described
from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context, subscribed


@pytest.fixture
def source() -> StubbornSource:
    return StubbornSource()


@pytest.fixture
def bench(runtime: Path, source: StubbornSource) -> Iterator[Bench]:
    with running_over(runtime, source) as bench:
        yield bench


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers at once may do so late: a busy machine needs longer than control would wait."""
    monkeypatch.setattr(refusal, "BOUND_S", 30.0)


@pytest.mark.usefixtures("patient")
def test_a_control_that_the_camera_takes_at_once_is_applied(bench: Bench) -> None:
    until_described(bench)
    assert bench.call("set_controls", gain=5) == {"applied": {"gain": 5}, "pending": []}
    reading = bench.call("controls")
    assert reading["controls"][0]["value"] == 5
    assert reading["pending"] == []


def test_a_control_that_takes_its_time_is_pending_and_its_outcome_is_an_event(
    bench: Bench,
    source: StubbornSource,
) -> None:
    until_described(bench)
    context = own_context()
    listener = subscribed(context, bench.names.events_socket)
    try:
        until(lambda: listener.poll(10))  # connected: the state comes once a second
        source.may["set_controls"].clear()
        assert bench.call("set_controls", gain=6) == {"applied": {}, "pending": ["gain"]}
        for _ in range(MOST_PENDING + 1):
            reading = bench.call("controls")
        assert (reading["fresh"], reading["pending"]) == (False, ["gain"])
        assert reading["controls"][0]["value"] == 3
        source.may["set_controls"].set()
        event = until(lambda: next_event(listener, "controls"))
        assert event == {"event": "controls", "applied": {"gain": 6}, "error": None}
        assert bench.call("controls")["controls"][0]["value"] == 6
    finally:
        listener.close()
        context.term()


def next_event(listener: Any, name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(listener.recv()) if listener.poll(10) else {}
    return event if event.get("event") == name else {}


@pytest.mark.usefixtures("patient")
def test_what_the_camera_refuses_is_an_error_with_its_remedy(bench: Bench) -> None:
    until_described(bench)
    with pytest.raises(CommandRefused, match="refused 7: try 6"):
        bench.call("set_controls", gain=7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gian": 1}, "did you mean 'gain'"),
        ({"gain": 10}, "0 to 9, not 10"),
        ({}, "name the controls"),
    ],
)
def test_a_wrong_control_is_refused_without_asking_the_camera(
    bench: Bench, source: StubbornSource, values: dict[str, object], message: str
) -> None:
    until_described(bench)
    source.may["set_controls"].clear()
    with pytest.raises(CommandRefused, match=message):
        bench.call("set_controls", **values)


def test_calls_for_a_camera_that_never_answers_do_not_pile_up(
    bench: Bench, source: StubbornSource
) -> None:
    until_described(bench)
    source.may["set_controls"].clear()
    for _ in range(MOST_PENDING):
        assert bench.call("set_controls", gain=1)["pending"] == ["gain"]
    with pytest.raises(CommandRefused, match="earlier calls"):
        bench.call("set_controls", gain=1)
    assert bench.call("status")["state"] == "streaming"
