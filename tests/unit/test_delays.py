"""The delays between tries, which are pure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.recovery import delays


@given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_backoff_stays_within_its_limits_whatever_happened(failures: int, jitter: float) -> None:
    assert 0.5 <= delays.doubling_s(0.5, 1, failures, jitter) <= 1
    assert 0.01 <= delays.doubling_s(0.01, 0.5, failures, jitter) <= 0.5


def test_backoff_doubles_from_half_a_second_to_five() -> None:
    first_s, most_s = delays.RETRY_FIRST_S, delays.RETRY_MOST_S
    waits = [delays.doubling_s(first_s, most_s, failures, 0.0) for failures in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 5, 5, 5]


def test_a_busy_device_is_looked_at_after_10_ms_and_then_up_to_every_500() -> None:
    first_s, most_s = delays.HOLDER_FIRST_S, delays.HOLDER_MOST_S
    waits = [delays.doubling_s(first_s, most_s, tries, 0.0) for tries in range(1, 9)]
    assert waits == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5]


@given(took_s=st.floats(0, 100), share=st.floats(0, 1), jitter=st.floats(0, 1))
def test_a_probe_follows_within_5_s_and_leaves_a_camera_that_does_not_answer_alone_as_long(
    took_s: float, share: float, jitter: float
) -> None:
    unanswered_s = share * took_s
    delay_s = delays.probe_delay_s(took_s, unanswered_s, jitter)
    assert delays.PROBE_LEAST_S <= delay_s <= delays.PROBE_MOST_S
    assert delay_s >= min(unanswered_s, delays.PROBE_MOST_S)
    assert took_s + delay_s >= 0.75 * delays.PROBE_SPACING_S - 1e-6
