"""How long a slow camera is waited for."""

from __future__ import annotations

import pytest

from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.sources.http.timeouts import MOST_S, PROOF, AdaptiveTimeout, LoginBackoff


def waited_out(timeout: AdaptiveTimeout, *, took_s: float | None = None) -> list[float]:
    """Wait in vain six times; return for how long each time."""
    waits = []
    for _ in range(6):
        timeout.begin(100.0)
        waits.append(timeout.response_s)
        timeout.end(100.0 + (timeout.response_s if took_s is None else took_s))
    return waits


def test_each_try_in_vain_is_followed_by_a_longer_one() -> None:
    assert waited_out(AdaptiveTimeout(5.0)) == [5.0, 20.0, 80.0, MOST_S, MOST_S, MOST_S]


def test_what_fails_at_once_was_not_waited_for() -> None:
    assert waited_out(AdaptiveTimeout(5.0), took_s=1.0) == [5.0] * 6


def test_enough_pictures_prove_that_it_is_well() -> None:
    timeout = AdaptiveTimeout(5.0)
    waited_out(timeout)
    timeout.begin(0.0)
    for number in range(PROOF):
        assert not timeout.proved
        timeout.saw(number / 10)
    timeout.end(1000.0)
    assert timeout.proved
    assert timeout.picture_s == 5.0


def test_a_slow_cameras_interval_is_remembered_over_connections() -> None:
    timeout = AdaptiveTimeout(5.0)
    timeout.begin(0.0)
    timeout.saw(0.0)
    timeout.saw(20.0)
    timeout.end(21.0)
    timeout.begin(22.0)
    assert timeout.picture_s == 30.0


def test_pictures_that_come_at_once_at_first_do_not_make_it_quick() -> None:
    timeout = AdaptiveTimeout(5.0)
    for session in (0.0, 1000.0):
        timeout.begin(session)
        for later in (0.0, 0.1, 80.1)[: 3 if session == 0.0 else 2]:
            timeout.saw(session + later)
    assert timeout.picture_s > 60.0


def test_a_camera_that_became_quick_is_quick() -> None:
    timeout = AdaptiveTimeout(5.0)
    timeout.begin(0.0)
    timeout.saw(0.0)
    timeout.saw(30.0)
    timeout.begin(40.0)
    for number in range(PROOF):
        timeout.saw(40.0 + number / 30)
    assert timeout.picture_s == 5.0


def test_a_wrong_password_is_not_shown_over_and_over() -> None:
    pause, refusal = LoginBackoff(), SourceUnusable("unauthorized", "no")
    now_s = 0.0
    for again_s in (30.0, 60.0, 120.0, 240.0, 300.0, 300.0):
        pause.check(now_s)
        pause.failed(refusal, now_s)
        with pytest.raises(SourceUnusable, match="no"):
            pause.check(now_s + again_s - 0.1)
        now_s += again_s
    pause.check(now_s)
    pause.worked()
    pause.failed(SourceError("refused", "nothing listens"), now_s)
    pause.check(now_s)


def test_a_refusal_that_is_raised_for_weeks_does_not_grow() -> None:
    pause = LoginBackoff()
    pause.failed(SourceUnusable("unauthorized", "no"), 0.0)
    assert depth(pause) == depth(pause)


def depth(pause: LoginBackoff) -> int:
    with pytest.raises(SourceUnusable) as refusal:
        pause.check(1.0)
    return len(refusal.traceback)
