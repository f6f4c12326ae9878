"""A daemon whose camera is lent: who has it, who may end that, and what `ctl lend` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.cli.lend import lend
from framebus.control.protocol import NOT_NOW
from framebus.errors import CommandRefused

from capture_daemon.lifecycle.pipeline import SourceAccess
from tests.contract.daemon_bench import Bench, owner_of, running
from tests.contract.stubborn import StubbornSource
from tests.fakes.rung_executors import NoRungs
from tests.helpers.waiting import until


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    camera, spare = (SourceAccess(owner_of(StubbornSource(), runtime), NoRungs()) for _ in range(2))
    with running(runtime, source="v4l2:/dev/absent", camera=camera, spare=spare) as bench:
        bench.until_state("streaming")
        yield bench


def test_status_shows_who_has_the_camera_and_until_when_but_not_the_lease(bench: Bench) -> None:
    assert bench.call("status")["lease"] is None
    lent = bench.call("lend", seconds=60, to="cheese")
    status = bench.call("status")
    assert status["lease"]["to"] == "cheese"
    assert status["lease"]["until_utc_ns"] == pytest.approx(lent["until_utc_ns"], abs=1e9)
    assert lent["lease"] not in str(status)
    assert bench.call("give_back", lease=lent["lease"])["given_back"]
    assert bench.until_state("streaming")["lease"] is None


def test_a_second_borrower_and_a_renewal_of_the_daemon_are_refused(bench: Bench) -> None:
    lent = bench.call("lend", seconds=60, to="cheese")
    with pytest.raises(CommandRefused, match="lent to cheese until") as refused:
        bench.call("lend", seconds=60, to="fswebcam")
    assert refused.value.code == NOT_NOW
    assert not bench.call("give_back", lease="00")["given_back"]
    again = bench.call("lend", seconds=600, to="cheese", lease=lent["lease"])
    assert again["until_utc_ns"] > lent["until_utc_ns"]
    assert bench.call("status")["state"] == "lent"


def test_a_stop_while_a_command_has_the_camera_is_still_one_after_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(bench.names.runtime))
    stop = [sys.executable, "-m", "framebus", "ctl", "stop"]
    assert lend(bench.client, stop, 60.0, say=print) == 0
    assert bench.call("status")["state"] == "stopped"


def test_a_command_that_ends_gives_the_camera_back(bench: Bench) -> None:
    assert lend(bench.client, [sys.executable, "-c", ""], 60.0, say=print) == 0
    until(lambda: bench.call("status")["state"] == "streaming")
