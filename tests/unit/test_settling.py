"""When a stream has proved itself."""

from __future__ import annotations

from capture_daemon.capturing.settling import SETTLED_FRAMES, Settling

S = 1_000_000_000


def settled_at(interval_ns: int, frames: int = 20) -> list[int]:
    """Return at which frames, from 1, the stream was told to be settled."""
    settling, told = Settling(), []
    settling.begin()
    for number in range(1, frames + 1):
        now_ns = 100 * S + number * interval_ns
        assert settling.is_first(now_ns) == (number == 1)
        if settling.has_settled(now_ns):
            told.append(number)
    return told


def test_the_tenth_frame_settles_a_stream_once() -> None:
    assert settled_at(S // 30) == [SETTLED_FRAMES]
    assert settled_at(S) == [SETTLED_FRAMES]


def test_a_slow_one_is_settled_by_fewer_after_ten_seconds() -> None:
    assert settled_at(4 * S) == [4]
    assert settled_at(60 * S) == [3]
    assert settled_at(60 * S, frames=2) == []


def test_another_stream_begins_anew() -> None:
    settling = Settling()
    settling.is_first(S)
    settling.begin()
    assert settling.is_first(2 * S)
    assert not settling.has_settled(50 * S)
