"""Control answers whatever the source does, and whatever it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.control.protocol import INTERNAL_ERROR
from framebus.errors import CommandRefused, NoPermission
from framebus.names import CameraNames
from framebus.reader import FrameReader

from tests.contract.daemon_bench import Bench
from tests.contract.stubborn import StubbornSource, running_over, until_described
from tests.helpers.segments import segments
from tests.helpers.waiting import until


@pytest.fixture
def source() -> StubbornSource:
    return StubbornSource()


@pytest.fixture
def bench(runtime: Path, source: StubbornSource) -> Iterator[Bench]:
    with running_over(runtime, source) as bench:
        yield bench


def test_every_method_answers_while_open_blocks(bench: Bench, source: StubbornSource) -> None:
    bench.until_state("streaming")
    bench.call("stop")
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")
    source.may["open"].clear()
    assert bench.call("start")["state"] == "opening"
    for _ in range(20):
        assert bench.call("status")["state"] == "opening"
    assert bench.call("restart")["joined"]
    until(lambda: bench.call("status")["cause"]["code"] == "not-answering")
    assert bench.call("stop")["state"] == "stopped"
    assert bench.call("configure", fps=5)["changed"]
    opened = source.opened
    source.may["open"].set()
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")
    assert source.opened == opened + 1


def test_a_bug_in_a_source_is_a_failure_that_is_tried_again(
    bench: Bench, source: StubbornSource
) -> None:
    bench.until_state("streaming")
    source.broken = True
    status = bench.until_state("backoff")
    assert status["cause"]["code"] == "bug"
    assert "ZeroDivisionError" in status["cause"]["message"]
    source.broken = False
    bench.until_state("streaming")


def test_a_read_that_blocks_is_a_stall_and_ends_when_it_returns(
    bench: Bench, source: StubbornSource
) -> None:
    bench.until_state("streaming")
    until(lambda: bench.call("status")["frames"]["published"] > 10)
    source.may["read"].clear()
    status = bench.until_state("stalled")
    assert status["cause"]["code"] in ("silent", "not-answering")
    until(lambda: bench.call("status")["cause"]["code"] == "not-answering")
    source.may["read"].set()
    bench.until_state("streaming")


def test_stopping_a_source_that_hangs_says_that_it_is_still_closing(
    bench: Bench, source: StubbornSource
) -> None:
    bench.until_state("streaming")
    source.may["read"].clear()
    until(lambda: "read" in source.blocked)
    bench.call("stop")
    assert bench.call("status")["cause"]["code"] == "closing"
    source.may["read"].set()
    until(lambda: bench.call("status")["cause"]["code"] == "stopped")


def test_texts_and_numbers_of_any_length_are_an_error_and_no_end(bench: Bench) -> None:
    until_described(bench)
    long = "\u00e4" * 9000
    for method, params in (
        ("configure", {"source": "file:/" + long}),
        ("configure", {"source": long}),
        ("configure", {"size": long}),
        ("configure", {"fps": 10**400}),
        ("configure", {long: 1}),
        ("set_controls", {long: 1}),
        ("set_controls", {"gain": 10**400}),
        (long, {}),
    ):
        with pytest.raises(CommandRefused) as error:
            bench.client.call(method, params)
        assert error.value.code != INTERNAL_ERROR
    longest = "http://h/" + "\U0001f3a5" * 3000
    assert bench.call("configure", source=longest)["changed"]
    status = bench.until_state("streaming")
    assert status["source"]["spec"].endswith("…")
    with FrameReader("camera", runtime=bench.names.runtime) as reader:
        assert reader.next(30.0)


def test_a_daemon_that_cannot_be_built_says_why_and_leaves_no_ring(runtime: Path) -> None:
    names = CameraNames(runtime, "camera")
    names.queries_socket.mkdir()
    refused = pytest.raises(NoPermission, match=r"camera\.queries")
    with refused, running_over(runtime, StubbornSource()):
        raise AssertionError("it was built")
    assert not segments(names)
