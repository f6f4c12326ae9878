from __future__ import annotations

import itertools
import random

import pytest

from web_workers.viewers.rate_limiter import FrameRateLimiter

SECOND = 1_000_000_000


def _admitted(fps: float, camera_fps: float, seconds: int, jitter_ns: int = 0) -> list[int]:
    rate_limiter = FrameRateLimiter(fps)
    interval = round(SECOND / camera_fps)
    times = [
        SECOND + number * interval + (jitter_ns if number % 2 else -jitter_ns)
        for number in range(round(seconds * camera_fps))
    ]
    return [time for time in times if rate_limiter.admit(time, interval)]


@pytest.mark.parametrize("fps", [1, 5, 10, 12, 15, 20, 24])
@pytest.mark.parametrize("jitter_ns", [0, 4_000_000])
def test_the_rate_asked_for_is_what_comes_out(fps: int, jitter_ns: int) -> None:
    assert abs(len(_admitted(fps, 30, 20, jitter_ns)) - fps * 20) <= 1


@pytest.mark.parametrize("fps", [5, 10, 15])
def test_a_rate_that_divides_the_cameras_is_even(fps: int) -> None:
    times = _admitted(fps, 30, 5)
    gaps = {later - earlier for earlier, later in itertools.pairwise(times)}
    assert gaps == {round(SECOND / 30) * (30 // fps)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fps", [5, 10, 15])
def test_jitter_moves_no_frame_to_another_place(fps: int, seed: int) -> None:
    chance = random.Random(seed)
    interval = round(SECOND / 30)
    rate_limiter = FrameRateLimiter(fps)
    admitted = [
        number
        for number in range(300)
        if rate_limiter.admit(
            SECOND + number * interval + chance.randint(-interval // 5, interval // 5), interval
        )
    ]
    assert {later - earlier for earlier, later in itertools.pairwise(admitted)} == {30 // fps}


def test_a_rate_that_does_not_divide_it_misses_by_less_than_a_frame() -> None:
    times = _admitted(20, 30, 5)
    for number, time in enumerate(times):
        assert abs(time - SECOND - number * SECOND / 20) < SECOND / 30


def test_more_than_the_camera_has_is_all_of_it() -> None:
    assert len(_admitted(60, 30, 2)) == 60


def test_a_pause_is_not_made_up_for() -> None:
    rate_limiter = FrameRateLimiter(10)
    assert rate_limiter.admit(SECOND, SECOND // 30)
    later = range(60 * SECOND, 61 * SECOND, SECOND // 30)
    assert sum(rate_limiter.admit(time, SECOND // 30) for time in later) in (10, 11)
