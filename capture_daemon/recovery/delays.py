"""How long to wait between tries. Pure: randomness comes in as `jitter`, 0 to 1.

Jitter takes off up to a quarter, so that several cameras on one bus do not try in step.
"""

from __future__ import annotations

RETRY_FIRST_S = 0.5
RETRY_MOST_S = 5.0
REOPEN_MOST_S = 1.0
SLOW_RETRY_FIRST_S = 30.0
SLOW_RETRY_MOST_S = 300.0
HOLDER_FIRST_S = 0.01
HOLDER_MOST_S = 0.5
PROBE_SPACING_S = 4.0
"""From one try's beginning to the next one's, while something dearer waits for its time."""
PROBE_LEAST_S = 0.1
PROBE_MOST_S = 5.0
"""From one try's end to the next one's beginning, at least and at most."""


def reopen_delay_s(tries: int, jitter: float, *, most_s: float = REOPEN_MOST_S) -> float:
    """Return how long to wait before the `tries`-th reopening in a row (from 1), in seconds.

    0.5 s doubling to `most_s`: reopening is itself a risk (a camera that was reopened every 0.3 s
    dropped off its bus), so tries are spaced. A second at most where there are only a few: whatever
    ends by itself is over 1.5 s later at most; where they have no end, RETRY_MOST_S.
    """
    return doubling_s(RETRY_FIRST_S, most_s, tries, jitter)


def probe_delay_s(took_s: float, unanswered_s: float, jitter: float) -> float:
    """Return the wait before the next cheap look at whether a fault is gone, in seconds.

    `took_s` is how long the try took that has just failed, and `unanswered_s` how much of it went
    by waiting for an answer that did not come. Tries begin PROBE_SPACING_S apart, so one that
    waited for frames is followed soon. A camera that did not answer is left alone for as long as
    it was waited for: a storm of control transfers after a timeout can take the whole host down.
    """
    spaced_s = PROBE_SPACING_S * (1.0 - 0.25 * jitter) - took_s
    return min(PROBE_MOST_S, max(PROBE_LEAST_S, spaced_s, unanswered_s))


def holder_delay_s(tries: int, jitter: float) -> float:
    """Return the wait before the `tries`-th look (from 1) at a device that was busy: 10 to 500 ms.

    A holder that dies lets go within milliseconds of its end; nothing is sent to the camera by an
    open that finds it busy.
    """
    return doubling_s(HOLDER_FIRST_S, HOLDER_MOST_S, tries, jitter)


def doubling_s(first_s: float, most_s: float, times: int, jitter: float) -> float:
    """Return `first_s`, doubled at each time after the first, up to `most_s`; less the jitter."""
    doublings = min(max(times, 1) - 1, 16)  # 2**16 is beyond every limit here
    delay_s = min(most_s, first_s * 2.0**doublings)
    return max(first_s, delay_s * (1.0 - 0.25 * jitter))
