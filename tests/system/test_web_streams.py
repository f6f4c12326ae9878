"""Streams out of a real gunicorn, from a real ring."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier, with_a_frame
from tests.rigs.bus import Bus


def test_two_viewers_see_whole_frames_in_order(bus: Bus, tier: WebTier) -> None:
    bus.start()
    with contextlib.ExitStack() as stack:
        viewers = [Stream(tier.port).start() for _ in range(2)]
        for viewer in viewers:
            stack.callback(viewer.close)
        for viewer in viewers:
            viewer.wait(lambda viewer=viewer: len(viewer.frames) >= 30, "30 frames")  # type: ignore[misc]
            viewer.check()
            sequences = [part.sequence for part in viewer.frames]
            assert sequences == sorted(set(sequences))
            assert viewer.parts[0].body[:2] == b"\xff\xd8"


def test_the_head_is_final_unbuffered_and_never_chunked(bus: Bus, tier: WebTier) -> None:
    bus.publish()
    viewer = Stream(tier.port)
    viewer.close()
    assert viewer.status == "HTTP/1.1 200 OK"
    assert viewer.headers["Connection"] == "close"
    assert viewer.headers["Cache-Control"] == "no-store"
    assert viewer.headers["X-Accel-Buffering"] == "no"
    assert viewer.headers["X-Content-Type-Options"] == "nosniff"
    assert viewer.headers["Content-Type"] == (
        "multipart/x-mixed-replace; boundary=boundarydonotcross"
    )
    assert "Transfer-Encoding" not in viewer.headers
    assert "Content-Length" not in viewer.headers


def test_a_viewer_that_does_not_read_delays_nobody_and_hoards_little(
    bus: Bus, tier: WebTier
) -> None:
    bus.start(size=200_000)
    # A machine that stands still for ten seconds may cost the lazy viewer its connection.
    assert any(beside_a_lazy_one(tier) for _ in range(3))


def beside_a_lazy_one(tier: WebTier) -> bool:
    """Get frames beside a viewer that reads nothing; False if that one did not stay to the end."""
    lazy = Stream(tier.port, receive_buffer=4096)  # never started: reads only the head
    quick = Stream(tier.port).start()
    ours = {lazy.local_port, quick.local_port}
    try:
        quick.wait(lambda: len(quick.frames) >= 60, "60 frames beside a stalled viewer")
        quick.check()
        listed = {
            int(viewer["peer"].rpartition(":")[2]): viewer
            for viewer in tier.json("/state")["viewers"]["list"]
        }
        if not ours <= listed.keys():
            return False
        stalled = listed[lazy.local_port]
        assert stalled["skipped"] > 30
        assert stalled["bytes"] < 3_000_000
    finally:
        quick.close()
        lazy.close()
    return True


def test_a_viewer_that_stops_reading_is_closed_as_stalled(bus: Bus, tier: WebTier) -> None:
    bus.start(size=200_000)
    viewer = Stream(tier.port, receive_buffer=4096)
    viewer.read_a_part()  # and no more
    of = {"camera": "camera", "kind": "stream"}
    try:
        until(
            lambda: tier.scrape().value("framebus_viewers_closed_total", **of, reason="stalled"),
            within_s=60,
            what="it is closed",
        )
        until(lambda: tier.scrape().value("framebus_viewers", **of) == 0, within_s=60)
    finally:
        viewer.close()


def test_counts_add_up_to_what_was_published_since_joining(bus: Bus, tier: WebTier) -> None:
    viewer = with_a_frame(tier, bus, "/stream?fps=10").start()
    try:
        first = viewer.frames[0].sequence
        bus.start()
        viewer.wait(lambda: len(viewer.frames) >= 10, "10 frames")
        bus.pause()
        last = bus.writer.cursor

        def counted() -> bool:
            (listed,) = tier.json("/state")["viewers"]["list"]
            return bool(listed["sent"] + listed["skipped"] == last - first + 1)

        until(counted, what="sent + skipped = published")
        received = sum(len(part.body) for part in viewer.frames)
        (listed,) = tier.json("/state")["viewers"]["list"]
        assert listed["sent"] == len({part.sequence for part in viewer.frames})
        assert listed["skipped"] > listed["sent"]
        assert 0 <= listed["fps"] <= 15
        assert listed["bytes"] > received
        assert listed["age_s"] > 0
    finally:
        viewer.close()


def test_viewers_stay_while_the_daemon_dies_and_another_comes(
    runtime: Path, bus: Bus, tier: WebTier
) -> None:
    bus.start()
    viewer = Stream(tier.port).start()
    try:
        viewer.wait(lambda: len(viewer.frames) >= 5, "frames")
        bus.pause()
        viewer.wait(
            lambda: sum(bool(part.placeholder) for part in viewer.parts) >= 3, "placeholders"
        )
        assert viewer.parts[-1].placeholder == "daemon-died"
        assert viewer.parts[-1].sequence == viewer.frames[-1].sequence
        seen = len(viewer.frames)
        bus.close()
        bus.__init__(runtime)  # type: ignore[misc]  # the same fixture closes the next epoch
        bus.start()
        viewer.wait(lambda: len(viewer.frames) >= seen + 20, "frames of the next epoch")
        viewer.check()
        assert viewer.frames[-1].sequence < 1000
    finally:
        viewer.close()


def test_a_camera_without_a_daemon_shows_a_card_and_then_its_frames(
    runtime: Path, tier: WebTier
) -> None:
    viewer = Stream(tier.port).start()
    bus = None
    try:
        viewer.wait(lambda: viewer.parts, "a card")
        assert viewer.parts[0].placeholder == "daemon-absent"
        assert viewer.parts[0].body[:2] == b"\xff\xd8"
        bus = Bus(runtime)
        bus.start()
        viewer.wait(lambda: len(viewer.frames) >= 5, "frames")
    finally:
        viewer.close()
        if bus is not None:
            bus.close()


def test_fifty_viewers_on_two_workers_and_short_requests_in_between(
    runtime: Path, bus: Bus
) -> None:
    tier = WebTier(runtime, workers=2)
    bus.start(size=50_000)
    viewers: list[Stream] = []
    try:
        viewers += [Stream(tier.port).start() for _ in range(50)]
        for _ in range(10):
            assert tier.get("/snapshot?placeholder=1")[0] == 200
        for viewer in viewers:
            viewer.wait(lambda viewer=viewer: len(viewer.frames) >= 20, "20 frames")  # type: ignore[misc]
            viewer.check()
    finally:
        for viewer in viewers:
            viewer.close()
        tier.close()
