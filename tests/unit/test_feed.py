"""What a feed sends, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.multipart import Part
from tests.helpers.waiting import until
from tests.rigs.feed import FRAME_MS, Bench
from web_workers.feeds.housekeeping import EVERY_NS, housekeep
from web_workers.viewers.viewer import Viewer


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    bench = Bench(runtime)
    yield bench
    bench.close()


def test_a_viewer_gets_the_newest_frame_at_once(bench: Bench) -> None:
    bench.publish(b"old", age_ms=40)
    bench.publish(b"new")
    (got,) = bench.client().parts()
    assert (got.body, got.sequence) == (b"new", 2)


def test_a_hint_delivers_without_waiting_for_the_cursor(bench: Bench) -> None:
    assert bench.bus is not None
    client = bench.client()
    client.parts()

    def delivered() -> list[Part]:
        # Sent again until the subscription is made; the clock stands still, so no timer helps.
        assert bench.bus is not None
        bench.bus.publish(b"hinted", captured_ns=bench.now + bench.bus.writer.cursor)
        bench.loop.dispatch(0.01)
        return [part for part in client.parts() if part.body == b"hinted"]

    assert until(delivered)


def test_a_lost_hint_costs_one_and_a_half_frame_intervals(bench: Bench) -> None:
    bench.publish(b"first")
    client = bench.client()
    client.parts()
    bench.publish(b"second")
    bench.pass_ms(70)
    assert [part.body for part in client.parts()] == [b"second"]


def test_all_viewers_share_one_bytes_per_frame(bench: Bench) -> None:
    bench.publish()
    clients = [bench.client(), bench.client()]
    pushed: list[object] = []

    def noting(viewer: Viewer) -> None:
        send = viewer.send

        def note(data: bytes | memoryview) -> int:
            pushed.append(data)
            return send(data)

        viewer.send = note

    for client in clients:
        noting(client.viewer)
    bench.publish()
    bench.pass_ms(70)
    assert len(pushed) == 2
    assert pushed[0] is pushed[1]


def test_a_busy_viewer_skips_to_the_newest_and_the_counts_add_up(bench: Bench) -> None:
    big = bytes(1 << 20)
    bench.publish(big)
    slow, fast = bench.client(), bench.client()
    got: list[Part] = []
    for _ in range(9):
        bench.publish(big)
        while (got_now := fast.parts()) or fast.viewer.rest is not None:
            got += got_now
            bench.loop.dispatch()
        bench.pass_ms(70)
    while (got_now := fast.parts()) or fast.viewer.rest is not None:
        got += got_now
        bench.loop.dispatch()
    assert [part.sequence for part in got] == list(range(1, 11))
    late: list[Part] = []
    while (got_now := slow.parts()) or slow.viewer.rest is not None:
        late += got_now
        bench.loop.dispatch()
    assert (late[0].sequence, late[-1].sequence) == (1, 10)
    assert len(late) <= 3  # the socket's own buffer may hold a second one
    delivery = bench.feed.fanout.delivery(slow.viewer)
    assert (delivery.sent, delivery.skipped, delivery.waiting) == (len(late), 10 - len(late), 0)
    assert delivery.bytes > len(late) * len(big)
    delivery = bench.feed.fanout.delivery(fast.viewer)
    assert (delivery.sent, delivery.skipped, delivery.waiting) == (10, 0, 0)


def test_fewer_frames_are_sent_to_who_asked_for_fewer(bench: Bench) -> None:
    bench.publish()
    all_of_it, some = bench.client(), bench.client(fps=5)
    for _ in range(50):
        bench.pass_ms(FRAME_MS)
        bench.publish()
    bench.pass_ms(70)
    whole, thinned = all_of_it.parts(), some.parts()
    assert len(thinned) in (10, 11)
    assert len(whole) > 20  # found by the cursor only, which looks every 60 ms
    assert thinned[-1].sequence - thinned[0].sequence >= 40


def test_without_news_the_last_frame_comes_marked_as_old_every_second(bench: Bench) -> None:
    bench.publish(b"last")
    client = bench.client()
    assert [part.body for part in client.parts()] == [b"last"]
    for _ in range(5):
        bench.pass_ms(1000)
        got = client.parts()
        assert 1 <= len(got) <= 2
        assert {part.sequence for part in got} == {1}
    assert got[-1].body == b"painted"
    assert got[-1].placeholder == "daemon-died"  # nobody holds the lock
    assert bench.notices[-1].jpeg == b"last"
    assert "nothing new for" in bench.notices[-1].title


def test_without_any_frame_a_card_names_the_cause(bench: Bench) -> None:
    client = bench.client()
    (got,) = client.parts()
    assert (got.sequence, got.placeholder) == (0, "daemon-died")
    assert bench.notices[0].jpeg is None


def test_frames_end_the_placeholder(bench: Bench) -> None:
    client = bench.client()
    bench.pass_ms(3000)
    client.parts()
    bench.publish(b"back")
    bench.pass_ms(100)
    assert [part.body for part in client.parts()] == [b"back"]


def test_viewers_go_on_with_the_next_epoch(bench: Bench) -> None:
    bench.publish(b"before")
    client = bench.client()
    bench.restart()
    bench.pass_ms(200)
    bench.publish(b"after")
    bench.pass_ms(200)
    assert [part.body for part in client.parts()] == [b"before", b"after"]
    assert bench.feed.fanout.progress.published == 2


def test_a_frame_captured_before_the_last_one_is_never_sent(bench: Bench) -> None:
    bench.publish(b"before")
    client = bench.client()
    bench.restart()
    bench.pass_ms(100)
    bench.publish(b"older", age_ms=5000)
    bench.pass_ms(100)
    bench.publish(b"after")
    bench.pass_ms(100)
    assert [part.body for part in client.parts()] == [b"before", b"after"]


def test_a_pause_repeats_the_last_frame_to_who_asked_for_two(bench: Bench) -> None:
    bench.publish(b"last")
    client = bench.client()
    client.viewer.dual_final = True
    bench.pass_ms(300)
    assert [part.body for part in client.parts()] == [b"last", b"last"]


def test_a_feed_without_viewers_is_parked_and_wakes_again(bench: Bench) -> None:
    bench.publish(b"one")
    first = bench.client()
    first.socket.close()
    bench.loop.dispatch(1.0)
    assert bench.feed._follower is None
    assert bench.feed.fanout.viewers == ()
    assert bench.loop.timeout_s(99.0) == 99.0  # no timer is left
    bench.publish(b"two")
    assert [part.body for part in bench.client().parts()] == [b"two"]


def test_a_stalled_viewer_is_closed_within_15_s_and_the_others_stay(bench: Bench) -> None:
    bench.publish(bytes(1 << 20))
    stalled, other = bench.client(), bench.client()
    other.parts()
    assert stalled.viewer.rest is not None
    since = bench.now
    while stalled.viewer.fileno() >= 0:
        bench.pass_ms(EVERY_NS // 1_000_000)
        housekeep(bench.feed.fanout, bench.now, rates=False)
        assert bench.now - since < 15_000_000_000
        other.parts()
    assert other.viewer.fileno() >= 0
    assert bench.feed.fanout.worker_counts().counts["closed", "camera", "stream", "stalled"] == 1
