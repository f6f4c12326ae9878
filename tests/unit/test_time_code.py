from __future__ import annotations

import pytest

from capture_daemon.sources.pattern.time_code import TimeCode, TimeCodes


@pytest.mark.parametrize("fps", [30.0, 25.0, 1.0, 60.0])
def test_the_frames_of_a_second_are_counted_and_none_twice(fps: float) -> None:
    codes = TimeCodes(fps)
    seen = [codes.at(tick, 1000 + tick / fps) for tick in range(int(3 * fps))]
    assert seen == [
        TimeCode(1000 + second, frame) for second in range(3) for frame in range(int(fps))
    ]


def test_a_frame_that_is_made_late_has_the_time_at_which_it_was_due() -> None:
    codes = TimeCodes(30.0)
    late = [0.0, 0.004, 0.016, -0.002, 0.015]
    seen = [codes.at(tick, 50 + tick / 30 + late[tick % 5]) for tick in range(300)]
    assert len(set(seen)) == 300
    assert seen == sorted(seen)


def test_a_tick_that_was_left_out_is_missing_on_the_picture() -> None:
    codes = TimeCodes(30.0)
    codes.at(0, 10.0)
    assert codes.at(5, 10 + 5 / 30) == TimeCode(10, 5)


def test_a_clock_that_is_set_is_followed() -> None:
    codes = TimeCodes(30.0)
    codes.at(0, 10.0)
    assert codes.at(1, 5000.0) == TimeCode(5000, 0)
    assert codes.at(2, 5000 + 1 / 30) == TimeCode(5000, 1)


def test_of_many_frames_a_second_so_few_differ_that_all_can_be_kept() -> None:
    codes = TimeCodes(1000.0)
    frames = {codes.at(tick, tick / 1000).frame for tick in range(3000)}
    assert 30 < len(frames) <= 64


def test_a_rate_below_one_shows_the_second() -> None:
    codes = TimeCodes(0.5)
    seen = [codes.at(tick, 100 + 2 * tick) for tick in range(3)]
    assert seen == [TimeCode(100, 0), TimeCode(102, 0), TimeCode(104, 0)]
