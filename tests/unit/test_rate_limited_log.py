"""What is said once in a while, and how often it happened meanwhile."""

from __future__ import annotations

import logging

import pytest
from framebus.rate_limited_log import RateLimitedLog


def test_what_happens_again_and_again_is_said_once_a_period_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_ns = 0
    limited = RateLimitedLog(logging.getLogger("test"), lambda: now_ns, every_s=60)
    for _ in range(1000):
        limited.warning("full", "a viewer was refused")
    limited.warning((1, "absent"), "another thing")
    now_ns = 60_000_000_000
    limited.warning("full", "a viewer was refused")
    assert caplog.messages == [
        "a viewer was refused",
        "another thing",
        "a viewer was refused (999 times more since this was last said)",
    ]


def test_things_without_end_are_not_remembered_without_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limited = RateLimitedLog(logging.getLogger("test"), lambda: 0, every_s=60)
    for about in (*range(300), 0, 299):
        limited.warning(about, "something")
    assert len(caplog.records) == 301, "the oldest was forgotten, and the newest was not"
