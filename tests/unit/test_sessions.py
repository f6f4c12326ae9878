"""Which reports are of the present session, and how soon the source may be opened again."""

from __future__ import annotations

import pytest
from framebus.contract.words import Rung

from capture_daemon.capturing.reports import Closed, FrameSeen, Opened
from capture_daemon.lifecycle.sessions import COALESCE_S, Sessions
from tests.rigs.controllers import GRANTED, TEST, Notes, S


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(capture=Notes(), now_ns=100 * S)


def test_the_first_open_waits_for_nothing_and_the_next_one_a_little(sessions: Sessions) -> None:
    assert sessions.again_ns == 100 * S
    sessions.open(TEST, 101 * S)
    assert sessions.again_ns == 101 * S + int(COALESCE_S * S)


def test_what_was_reported_before_a_rung_is_carried_out_is_old_news(sessions: Sessions) -> None:
    sessions.open(TEST, 101 * S)
    seen = FrameSeen(sessions.number, 640, 480)
    assert sessions.is_news(seen)
    sessions.restart_stream()
    assert sessions.is_news(seen)
    sessions.run_rung(Rung.USB_RESET, 1.0)
    assert not sessions.is_news(seen)


def test_a_close_is_done_when_it_is_told_though_another_session_has_begun(
    sessions: Sessions,
) -> None:
    assert not sessions.closing
    sessions.open(TEST, 101 * S)
    sessions.close()
    close = sessions.number
    assert sessions.closing
    assert not sessions.is_news(Closed(close - 1))
    assert sessions.closing
    sessions.open(TEST, 102 * S)
    assert not sessions.is_news(Closed(close))
    assert not sessions.closing


def test_what_is_open_again_is_closing_no_more(sessions: Sessions) -> None:
    sessions.open(TEST, 101 * S)
    sessions.close()
    sessions.open(TEST, 102 * S)
    assert sessions.is_news(Opened(sessions.number, GRANTED, "test"))
    assert not sessions.closing
