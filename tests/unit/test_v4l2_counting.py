from __future__ import annotations

from capture_daemon.v4l2.counting import SequenceCounter, StaleFrames

MS = 1_000_000


def test_gaps_of_the_driver_stay_gaps() -> None:
    counter = SequenceCounter()
    assert [counter.count(raw) for raw in (0, 1, 4, 5)] == [0, 1, 4, 5]


def test_adopted_stream_goes_on_with_the_drivers_number() -> None:
    assert SequenceCounter().count(812) == 812


def test_restarted_stream_goes_on_after_the_last_number() -> None:
    counter = SequenceCounter()
    counter.count(7)
    counter.stream_started()
    assert [counter.count(raw) for raw in (0, 1, 3)] == [8, 9, 11]


def test_restart_behind_our_back_does_not_go_back() -> None:
    counter = SequenceCounter()
    counter.count(500)
    assert [counter.count(raw) for raw in (0, 1)] == [501, 502]


def test_unused_buffers_repeat_the_number_before() -> None:
    counter = SequenceCounter()
    assert counter.count(0, unused=True) == 0
    counter.count(10)
    assert [counter.count(0, unused=True), counter.count(0, unused=True)] == [10, 10]
    assert counter.count(11) == 11


def test_32_bits_may_wrap() -> None:
    counter = SequenceCounter()
    top = (1 << 32) - 1
    assert [counter.count(top), counter.count(0)] == [top, top + 1]


def test_frames_from_before_a_pause_are_stale_and_the_newest_is_not() -> None:
    frames = StaleFrames()
    frames.stream_started(0)
    assert not frames.is_stale(30 * MS, 33 * MS)
    woke = 2000 * MS
    assert [frames.is_stale(at * MS, woke) for at in (66, 99, 132, 165)] == [True] * 4
    assert not frames.is_stale(1990 * MS, woke + MS)
    assert not frames.is_stale(2023 * MS, 2025 * MS)


def test_short_pause_makes_nothing_stale() -> None:
    frames = StaleFrames()
    frames.stream_started(0)
    assert not any(frames.is_stale(at * MS, 490 * MS) for at in (33, 66, 99))


def test_camera_that_was_silent_is_not_stale_when_it_sends_again() -> None:
    frames = StaleFrames()
    frames.stream_started(0)
    assert not frames.is_stale(9000 * MS, 9020 * MS)


def test_what_waited_in_an_adopted_stream_is_not_stale() -> None:
    frames = StaleFrames()
    woke = 5000 * MS
    assert not any(frames.is_stale(at * MS, woke) for at in (100, 133, 166))


def test_clock_that_is_wrong_by_a_constant_is_stale_for_that_long_only() -> None:
    frames = StaleFrames()
    frames.stream_started(1)
    late = 3000 * MS
    stale = [frames.is_stale(now - late, now) for now in range(10_000 * MS, 20_000 * MS, 100 * MS)]
    assert stale[0]
    assert not stale[-1]
    assert sum(stale) <= 26
