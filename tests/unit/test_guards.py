"""What must hold, beyond the state, for something to be an event of the lifecycle's table."""

from __future__ import annotations

import pytest
from framebus.contract.words import Rung, State

from capture_daemon.lifecycle import guards

S = 1_000_000_000
FRAMES_LACK = {State.OPENING, State.STALLED, State.BACKOFF, State.FAILED}


def test_a_retry_that_is_wanted_right_after_an_opening_has_to_wait() -> None:
    assert guards.must_wait(20 * S, 10 * S, 10 * S - 1)
    assert not guards.must_wait(20 * S, 10 * S, 10 * S)
    assert not guards.must_wait(None, 10 * S, 0), "nothing waits"


@pytest.mark.parametrize("state", State)
def test_a_restart_right_after_an_opening_is_that_opening(state: State) -> None:
    is_open = state in (State.OPENING, State.STREAMING, State.STALLED)
    assert guards.was_just_opened(state, 10 * S, 10 * S - 1) is is_open
    assert not guards.was_just_opened(state, 10 * S, 10 * S)


def test_a_device_that_our_own_rung_has_brought_back_is_no_news() -> None:
    assert not guards.ends_wait(State.BACKOFF, Rung.USB_RESET)
    assert guards.ends_wait(State.BACKOFF, Rung.WAIT_FOR_HOLDER)
    assert guards.ends_wait(State.BACKOFF, None)
    assert guards.ends_wait(State.STOPPED, None)


@pytest.mark.parametrize("state", State)
def test_a_source_that_does_not_return_is_given_up_where_frames_lack(state: State) -> None:
    assert guards.is_hopeless(state, 10.1) is (state in FRAMES_LACK)
    assert not guards.is_hopeless(state, 10.0)
    assert guards.is_not_answering(state, 2.1) is (state is not State.STREAMING)
    assert not guards.is_not_answering(state, 2.0)


@pytest.mark.parametrize("state", State)
def test_where_nobody_wants_frames_there_is_no_reset(state: State) -> None:
    assert guards.may_reset(state) is (state not in (State.STOPPED, State.LENT, State.IDLE))


@pytest.mark.parametrize("state", State)
def test_only_a_camera_that_is_well_may_rest(state: State) -> None:
    assert guards.may_rest(state, settled=True) is (state is State.STREAMING)
    assert not guards.may_rest(state, settled=False)


def test_a_cameras_picture_is_frozen_after_its_time_and_never_where_nobody_minds() -> None:
    streaming, since_ns = State.STREAMING, 5 * S
    assert guards.is_frozen(streaming, "v4l2", since_ns, 10.0, 15 * S)
    assert not guards.is_frozen(streaming, "v4l2", since_ns, 10.0, 15 * S - 1)
    assert not guards.is_frozen(streaming, "v4l2", 0, 10.0, 100 * S), "nothing came yet"
    assert not guards.is_frozen(streaming, "v4l2", since_ns, 0.0, 10**12)
    assert not guards.is_frozen(streaming, "test", since_ns, 10.0, 10**12)
    assert not guards.is_frozen(State.OPENING, "v4l2", since_ns, 10.0, 10**12)
