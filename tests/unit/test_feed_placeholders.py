"""What a feed shows while no frames come, with a painter that takes its time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rigs.feed import Bench
from web_workers.counts.worker_counts import Closed
from web_workers.feeds.notice import Notice


class Studio(Bench):
    """A bench whose pictures are painted when the test says so."""

    def __init__(self, runtime: Path) -> None:
        super().__init__(runtime)
        self.under_way: list[Callable[[bytes], None]] = []

    def paint(self, notice: Notice, done: Callable[[bytes], None]) -> None:
        self.notices.append(notice)
        self.under_way.append(done)

    def painted(self) -> None:
        for done in self.under_way:
            done(b"painted")
        self.under_way.clear()


@pytest.fixture
def bench(runtime: Path) -> Iterator[Studio]:
    bench = Studio(runtime)
    yield bench
    bench.close()


def test_one_picture_is_painted_at_a_time(bench: Studio) -> None:
    client = bench.client()
    bench.pass_ms(5000)
    assert len(bench.notices) == 1
    assert client.parts() == []
    bench.painted()
    assert [part.body for part in client.parts()] == [b"painted"]
    bench.pass_ms(1000)
    assert len(bench.notices) == 2


def test_a_picture_that_is_done_when_frames_flow_again_is_not_shown(bench: Studio) -> None:
    client = bench.client()
    bench.publish(b"back")
    bench.pass_ms(100)
    bench.painted()
    assert [part.body for part in client.parts()] == [b"back"]
    late = bench.client()
    assert [part.body for part in late.parts()] == [b"back"]


def test_a_picture_of_one_stay_is_not_shown_in_the_next(bench: Studio) -> None:
    bench.client().viewer.close(Closed.LEFT)
    next_one = bench.client()
    first, second = bench.under_way
    first(b"of the first stay")
    assert next_one.parts() == []
    bench.pass_ms(3000)
    assert len(bench.notices) == 2, "the second one is still being painted"
    second(b"of the second")
    assert [part.body for part in next_one.parts()] == [b"of the second"]


def test_who_joins_during_a_pause_sees_at_once_what_the_others_see(bench: Studio) -> None:
    bench.publish(b"last")
    bench.client()
    bench.pass_ms(5000)
    bench.painted()
    (got,) = bench.client().parts()
    assert (got.body, got.placeholder, got.sequence) == (b"painted", "daemon-died", 1)


def test_a_picture_tells_what_is_wrong_what_to_do_and_how_old_the_last_frame_is(
    bench: Studio,
) -> None:
    bench.publish(b"last")
    bench.client()
    bench.pass_ms(5000)
    notice = bench.notices[-1]
    assert notice.title.startswith("camera: ")
    assert "framebus" in notice.remedy
    assert notice.jpeg == b"last"
    assert re.search(r"nothing new for [1-5] s$", notice.title)


def test_a_feed_that_wakes_up_knows_nothing_of_what_it_saw_before(bench: Studio) -> None:
    assert bench.bus is not None
    bench.publish(b"before")
    first = bench.client()
    first.viewer.close(Closed.LEFT)
    bench.bus.close()
    bench.bus = None
    late = bench.client()
    assert late.parts() == []
    assert bench.notices[-1].jpeg is None
    assert bench.feed.fanout.progress.published == 0
