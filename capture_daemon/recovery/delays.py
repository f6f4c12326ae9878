"""How long to wait between tries. Pure: randomness comes in as `jitter`, 0 to 1.

Jitter takes off up to a quarter, so that several cameras on one bus do not try in step.
"""

from __future__ import annotations

RETRY_FIRST_S = 0.5
"""Before the first reopening in a row. It is itself a risk (a camera that was reopened every 0.3 s
dropped off its bus), so tries are spaced."""
REOPEN_MOST_S = 1.0
"""At most where there are only a few: whatever ends by itself is over 1.5 s later at most."""
RETRY_MOST_S = 5.0
"""The same where reopening has no end."""
HOLDER_FIRST_S = 0.01
HOLDER_MOST_S = 0.5
"""From one look at a busy device to the next: a holder that dies lets go within milliseconds of its
end, and an open that finds the device busy sends nothing to the camera."""
PROBE_SPACING_S = 4.0
"""From one try's beginning to the next one's, while something dearer waits for its time."""
PROBE_LEAST_S = 0.1
PROBE_MOST_S = 5.0
"""From one try's end to the next one's beginning, at least and at most."""


def probe_delay_s(took_s: float, unanswered_s: float, jitter: float) -> float:
    """Return the wait before the next cheap look at whether a fault is gone, in seconds.

    `took_s` is how long the try took that has just failed, and `unanswered_s` how much of it went
    by waiting for an answer that did not come. Tries begin PROBE_SPACING_S apart, so one that
    waited for frames is followed soon. A camera that did not answer is left alone for as long as
    it was waited for: a storm of control transfers after a timeout can take the whole host down.
    """
    spaced_s = PROBE_SPACING_S * (1.0 - 0.25 * jitter) - took_s
    return min(PROBE_MOST_S, max(PROBE_LEAST_S, spaced_s, unanswered_s))


def doubling_s(first_s: float, most_s: float, times: int, jitter: float) -> float:
    """Return `first_s`, doubled at each time after the first, up to `most_s`; less the jitter."""
    doublings = min(max(times, 1) - 1, 16)  # 2**16 is beyond every limit here
    delay_s = min(most_s, first_s * 2.0**doublings)
    return max(first_s, delay_s * (1.0 - 0.25 * jitter))
