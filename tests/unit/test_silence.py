"""When silence is a stall: for the first frame, and for each one after it."""

from __future__ import annotations

import pytest

from capture_daemon.capturing.commands import Observed
from capture_daemon.lifecycle.silence import SilenceWatch, silence_limit_s, start_limit_s
from capture_daemon.sources.base import Granted

S = 1_000_000_000
GRANTED = Granted("MJPG", 640, 480, 10.0, jitter_s=0.2)


SEEN = Observed(rate=10.0)


@pytest.fixture
def watch() -> SilenceWatch:
    return SilenceWatch()


def settle(watch: SilenceWatch, *, took: float, telling: bool = True) -> None:
    watch.expect(100 * S, telling=telling)
    watch.streaming(100 * S + int(took * S))
    watch.settled()
    watch.expect(200 * S)


def test_nothing_is_due_while_frames_cannot_be_expected(watch: SilenceWatch) -> None:
    assert watch.due_ns(None, SEEN, patient=False) is None
    watch.expect(100 * S)
    watch.pause()
    assert watch.due_ns(None, SEEN, patient=False) is None


@pytest.mark.parametrize(("took", "limit"), [(0.1, 0.8), (1.0, 2.0), (3.0, 5.0), (4.0, 6.5)])
def test_a_source_is_given_half_as_long_again_as_it_took(
    watch: SilenceWatch, took: float, limit: float
) -> None:
    settle(watch, took=took)
    assert watch.due_ns(GRANTED, SEEN, patient=False) == int((200 + limit) * S)


def test_patience_is_never_less_than_an_unknown_source_gets(watch: SilenceWatch) -> None:
    settle(watch, took=0.1)
    assert watch.due_ns(GRANTED, SEEN, patient=True) == 205 * S
    watch.forget()
    assert watch.due_ns(GRANTED, SEEN, patient=False) == 205 * S


def test_a_stream_that_ran_already_tells_nothing_of_how_it_starts(watch: SilenceWatch) -> None:
    settle(watch, took=0.0, telling=False)
    assert watch.due_ns(GRANTED, SEEN, patient=False) == 205 * S


def test_a_running_stream_is_judged_by_its_newest_frame(watch: SilenceWatch) -> None:
    watch.expect(100 * S)
    watch.streaming(101 * S)
    assert watch.due_ns(GRANTED, SEEN, patient=False) == 101 * S + S // 2


def test_a_late_look_gives_the_camera_the_same_time_again(watch: SilenceWatch) -> None:
    watch.expect(100 * S)
    assert not watch.is_late(105 * S, 105 * S)
    assert watch.is_late(105 * S, 160 * S)
    assert watch.due_ns(GRANTED, SEEN, patient=False) == 165 * S


def test_the_first_frame_of_a_slow_rate_may_be_as_late_as_any_other() -> None:
    slow = Granted("MJPG", 640, 480, 0.5)
    slow_watch = SilenceWatch()
    settle(slow_watch, took=0.3)
    slow_watch.expect(200 * S)
    assert slow_watch.due_ns(slow, Observed(rate=0.5), patient=False) == 200 * S + int(6.3 * S)


def test_patience_holds_until_the_stream_has_proved_itself(watch: SilenceWatch) -> None:
    granted = Granted("MJPG", 640, 480, 0.0, jitter_s=1.5, first_frame_timeout_s=20.0)
    watch.expect(100 * S)
    assert watch.due_ns(granted, SEEN, patient=True) == 120 * S
    watch.streaming(101 * S)
    assert watch.due_ns(granted, SEEN, patient=True) == 161 * S, "two frames may come at once"
    watch.settled()
    assert watch.due_ns(granted, SEEN, patient=True) == 101 * S + int(1.8 * S)
    watch.expect(200 * S)
    assert watch.due_ns(granted, SEEN, patient=True) == 220 * S


def test_a_known_source_is_not_given_the_time_of_an_unknown_one() -> None:
    assert start_limit_s(None) == 5.0
    assert start_limit_s(0.1) == 0.8
    assert start_limit_s(3.0) == 5.0


@pytest.mark.parametrize(
    ("granted", "measured", "jitter_s", "limit_s"),
    [
        (30, 30, 0.3, 0.4),
        (30, 5, 0.3, 0.9),
        (30, 0, 0.3, 0.4),
        (0, 10, 0.3, 0.6),
        (0, 0, 0.3, 1.8),
        (30, 30, 1.5, 1.6),
    ],
)
def test_silence_is_judged_by_the_slower_of_granted_and_measured_rate(
    granted: float, measured: float, jitter_s: float, limit_s: float
) -> None:
    assert silence_limit_s(granted, measured, jitter_s) == pytest.approx(limit_s)
