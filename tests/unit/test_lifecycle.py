"""The lifecycle's table and its delays, which are pure."""

from __future__ import annotations

from pathlib import Path

import pytest
from framebus.contract.words import State

from capture_daemon.lifecycle import guards, table
from capture_daemon.lifecycle.diagram import render
from capture_daemon.lifecycle.table import TABLE, Action, Event, IllegalEvent, step

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
COMMANDS = (Event.START, Event.STOP, Event.RESTART, Event.CONFIGURED, Event.DEVICE_ADDED)
MAY_LEND = {*table.OPEN_STATES, State.LENT, State.IDLE}
"""Where a camera is open, or was until nobody watched, or its lease is renewed."""


def test_every_state_takes_every_command() -> None:
    for state in State:
        for event in COMMANDS:
            step(state, event)


def test_what_not_every_state_takes_is_taken_exactly_where_it_may_be_had() -> None:
    for state in State:
        assert (Event.RESET in TABLE[state]) is guards.may_reset(state)
        assert (Event.LEND in TABLE[state]) is (state in MAY_LEND)
        assert (Event.GIVEN_BACK in TABLE[state]) is (state is State.LENT)
        assert (Event.WAKE in TABLE[state]) is (state is State.IDLE)
        assert (Event.REST in TABLE[state]) is (state in (State.STREAMING, State.STOPPED))


def test_every_state_can_be_reached_from_stopped_and_left_for_stopped() -> None:
    reached, todo = {State.STOPPED}, [State.STOPPED]
    while todo:
        for target, _ in TABLE[todo.pop()].values():
            if target not in reached:
                reached.add(target)
                todo.append(target)
    assert reached == set(State)
    assert all(step(state, Event.STOP)[0] is State.STOPPED for state in State)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (State.STOPPED, Event.FRAME),
        (State.STOPPED, Event.RETRY_DUE),
        (State.OPENING, Event.RETRY_DUE),
        (State.BACKOFF, Event.OPENED),
        (State.FAILED, Event.SILENCE),
        (State.STREAMING, Event.OPENED),
        (State.STOPPED, Event.WAKE),
        (State.LENT, Event.WAKE),
        (State.BACKOFF, Event.REST),
        (State.OPENING, Event.REST),
        (State.IDLE, Event.FRAME),
        (State.IDLE, Event.RETRY_DUE),
    ],
)
def test_an_illegal_event_raises_and_says_what_and_where(state: State, event: Event) -> None:
    with pytest.raises(IllegalEvent, match=f"{event.value} cannot happen while {state.value}"):
        step(state, event)


def test_silence_restarts_the_stream_first_and_lets_go_of_the_device_only_then() -> None:
    state, actions = step(State.STREAMING, Event.SILENCE)
    assert (state, actions) == (State.STALLED, (Action.RESTART_STREAM,))
    state, actions = step(state, Event.SILENCE_AGAIN)
    assert state is State.BACKOFF
    assert Action.CLOSE in actions


def test_a_restart_while_opening_is_the_one_under_way() -> None:
    assert step(State.OPENING, Event.RESTART) == (State.OPENING, ())


def test_a_device_is_never_opened_without_having_been_closed() -> None:
    for state in table.OPEN_STATES:
        for _, actions in TABLE[state].values():
            if Action.OPEN in actions:
                assert actions.index(Action.CLOSE) < actions.index(Action.OPEN)


def test_leaving_the_open_states_by_hand_closes_the_source() -> None:
    for state in table.OPEN_STATES:
        assert Action.CLOSE in step(state, Event.STOP)[1]


def test_what_is_lent_was_closed_before_and_comes_back_by_itself() -> None:
    for state in table.OPEN_STATES:
        target, actions = step(state, Event.LEND)
        assert target is State.LENT
        assert actions.index(Action.CLOSE) < actions.index(Action.AWAIT_RETURN)
    assert step(State.LENT, Event.RETRY_DUE)[0] is State.OPENING
    assert step(State.LENT, Event.GIVEN_BACK)[0] is State.OPENING


def test_a_wait_always_has_its_end() -> None:
    for state, row in TABLE.items():
        for target, actions in row.values():
            if target in table.WAITING_STATES and state is not target:
                waits = {Action.AWAIT_RUNG, Action.RUN_RUNG, Action.AWAIT_RETURN}
                assert waits & set(actions)


def test_a_rung_is_carried_out_only_with_the_device_closed() -> None:
    for state, row in TABLE.items():
        for target, actions in row.values():
            if Action.RUN_RUNG in actions:
                assert target is State.BACKOFF
                closed = state in table.WAITING_STATES
                assert closed or actions.index(Action.CLOSE) < actions.index(Action.RUN_RUNG)


def test_the_page_in_docs_is_what_the_table_says() -> None:
    assert PAGE.read_text() == render(), "run python -m capture_daemon.lifecycle.diagram"
