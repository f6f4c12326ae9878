"""The capture's state machine: a table. Pure.

What an event leads to stands in `TABLE`; when something is an event at all, in guards.py. The
controller feeds it events and has the actions that it returns carried out, in their order;
docs/lifecycle.md is drawn from it (`python -m capture_daemon.lifecycle.diagram`).

There is no "closing" state: commands to the capture thread are carried out one after another, so
an OPEN queued behind a CLOSE can never meet the device still held by ourselves. For the same reason
the rungs that need the device closed are carried out in BACKOFF, as one more command to it.
Which rung comes next is the ladder's to say (recovery/ladder.py).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from framebus.contract.words import State


class Event(enum.Enum):
    """What happened. Those above the line come from people, those below from the threads."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CONFIGURED = "configured"
    """The source or what is requested of it has changed."""
    RESET = "reset"
    """A person wants a rung that needs the device closed."""
    LEND = "lend"
    """A person wants the device for another program, for a while; or the same one, for longer."""
    GIVEN_BACK = "given-back"
    """Whoever has the device lent no longer needs it."""
    WAKE = "wake"
    """Somebody wants frames of a camera that rests."""
    # ------------------------------------------------------------------
    REST = "rest"
    """Nobody has wanted frames for long enough."""
    OPENED = "opened"
    FRAME = "frame"
    """The first valid frame after an open or a stream restart."""
    SETTLED = "settled"
    """The stream has proved itself: enough valid frames in a row."""
    SILENCE = "silence"
    """No valid frame for too long, and restarting the stream is the next rung."""
    SILENCE_AGAIN = "silence-again"
    """No valid frame for too long, and the next rung needs the device closed."""
    STREAM_RESTARTED = "stream-restarted"
    FAILURE = "failure"
    """The source raised, and is closed."""
    PERMANENT_FAILURE = "permanent-failure"
    """The same, and trying again unchanged cannot help."""
    RETRY_DUE = "retry-due"
    """It is time to open again."""
    RUNG_DUE = "rung-due"
    """It is time for a rung that is carried out with the device closed."""
    RUNG_DONE = "rung-done"
    """The rung was carried out; whether it helped only frames can tell."""
    RUNG_UNAVAILABLE = "rung-unavailable"
    """The rung could not be carried out."""
    DEVICE_ADDED = "device-added"
    """A device appeared that may be ours."""


class Action(enum.Enum):
    """What is to be done, in the order given: controller.py says by whom."""

    OPEN = "open"
    CLOSE = "close"
    RESTART_STREAM = "restart-stream"
    RUN_RUNG = "run-rung"
    """Carry out the rung that was chosen, with the device closed."""
    COUNT_FAILURE = "count-failure"
    AWAIT_RUNG = "await-rung"
    """Ask for RETRY_DUE or RUNG_DUE when the rung that the ladder has chosen is due."""
    AWAIT_RETURN = "await-return"
    """Ask for RETRY_DUE when the time is up for which the device was lent."""
    FORGET_FAILURES = "forget-failures"
    """Start counting failures from 0."""
    START_OVER = "start-over"
    """The same, and the ladder begins at its bottom."""


class IllegalEvent(Exception):
    """The event cannot happen in this state: a bug. Nothing was changed."""


OPEN_STATES = frozenset({State.OPENING, State.STREAMING, State.STALLED})
"""A source is open, or is being opened."""
WAITING_STATES = frozenset({State.BACKOFF, State.FAILED, State.LENT})
"""The next try is due at some time."""

Step = tuple[State, tuple[Action, ...]]

_REOPEN = (Action.START_OVER, Action.CLOSE, Action.OPEN)
_OPEN_AFRESH = (Action.START_OVER, Action.OPEN)
_FAILED = (Action.COUNT_FAILURE, Action.AWAIT_RUNG)

_WHILE_OPEN: Mapping[Event, Step] = {
    Event.STOP: (State.STOPPED, (Action.START_OVER, Action.CLOSE)),
    Event.CONFIGURED: (State.OPENING, _REOPEN),
    Event.RESET: (State.BACKOFF, (Action.CLOSE, Action.RUN_RUNG)),
    Event.LEND: (State.LENT, (Action.START_OVER, Action.CLOSE, Action.AWAIT_RETURN)),
    Event.FAILURE: (State.BACKOFF, _FAILED),
    Event.PERMANENT_FAILURE: (State.FAILED, _FAILED),
    # Restarting the stream has not helped, or will not: let go of the device.
    Event.SILENCE_AGAIN: (State.BACKOFF, (Action.CLOSE, *_FAILED)),
}

# Anything that might have mended it ends the wait.
_WHILE_WAITING: Mapping[Event, Step] = {
    Event.START: (State.OPENING, _OPEN_AFRESH),
    Event.RESTART: (State.OPENING, _OPEN_AFRESH),
    Event.CONFIGURED: (State.OPENING, _OPEN_AFRESH),
    Event.RESET: (State.BACKOFF, (Action.RUN_RUNG,)),
    Event.STOP: (State.STOPPED, (Action.START_OVER, Action.CLOSE)),
    Event.RETRY_DUE: (State.OPENING, (Action.OPEN,)),
    Event.DEVICE_ADDED: (State.OPENING, (Action.OPEN,)),
}

TABLE: Mapping[State, Mapping[Event, Step]] = {
    State.STOPPED: {
        Event.START: (State.OPENING, _OPEN_AFRESH),
        Event.RESTART: (State.OPENING, _OPEN_AFRESH),
        Event.STOP: (State.STOPPED, ()),
        # Its predecessor rested when it died.
        Event.REST: (State.IDLE, ()),
        Event.CONFIGURED: (State.STOPPED, ()),
        Event.DEVICE_ADDED: (State.STOPPED, ()),
    },
    State.OPENING: {
        **_WHILE_OPEN,
        # It is being opened already: restarts that come meanwhile are one restart.
        Event.START: (State.OPENING, ()),
        Event.RESTART: (State.OPENING, ()),
        Event.DEVICE_ADDED: (State.OPENING, ()),
        Event.OPENED: (State.OPENING, ()),
        Event.FRAME: (State.STREAMING, ()),
        Event.SILENCE: (State.STALLED, (Action.RESTART_STREAM,)),
    },
    State.STREAMING: {
        **_WHILE_OPEN,
        Event.START: (State.STREAMING, ()),
        Event.RESTART: (State.OPENING, _REOPEN),
        Event.DEVICE_ADDED: (State.STREAMING, ()),
        Event.SETTLED: (State.STREAMING, (Action.FORGET_FAILURES,)),
        Event.SILENCE: (State.STALLED, (Action.RESTART_STREAM,)),
        # It came back by itself just before the restart that was under way.
        Event.STREAM_RESTARTED: (State.STALLED, ()),
        Event.REST: (State.IDLE, (Action.CLOSE,)),
    },
    State.STALLED: {
        **_WHILE_OPEN,
        Event.START: (State.STALLED, ()),
        Event.RESTART: (State.OPENING, _REOPEN),
        Event.DEVICE_ADDED: (State.STALLED, ()),
        Event.STREAM_RESTARTED: (State.STALLED, ()),
        Event.FRAME: (State.STREAMING, ()),
        # The tenth frame was on its way when the silence was noticed.
        Event.SETTLED: (State.STALLED, ()),
        Event.SILENCE: (State.STALLED, (Action.RESTART_STREAM,)),
    },
    State.BACKOFF: {
        **_WHILE_WAITING,
        Event.RUNG_DUE: (State.BACKOFF, (Action.RUN_RUNG,)),
        Event.RUNG_DONE: (State.OPENING, (Action.OPEN,)),
        Event.RUNG_UNAVAILABLE: (State.BACKOFF, (Action.AWAIT_RUNG,)),
    },
    State.FAILED: _WHILE_WAITING,
    State.LENT: {
        # Whoever wants it back has it back, whatever the time.
        Event.START: (State.OPENING, _OPEN_AFRESH),
        Event.RESTART: (State.OPENING, _OPEN_AFRESH),
        Event.GIVEN_BACK: (State.OPENING, _OPEN_AFRESH),
        Event.RETRY_DUE: (State.OPENING, _OPEN_AFRESH),
        Event.STOP: (State.STOPPED, (Action.START_OVER, Action.CLOSE)),
        Event.LEND: (State.LENT, (Action.AWAIT_RETURN,)),
        Event.CONFIGURED: (State.LENT, ()),
        Event.DEVICE_ADDED: (State.LENT, ()),
    },
    State.IDLE: {
        Event.WAKE: (State.OPENING, (Action.OPEN,)),
        # Whoever commands wants frames, too; it rests again when nobody else does.
        Event.START: (State.OPENING, _OPEN_AFRESH),
        Event.RESTART: (State.OPENING, _OPEN_AFRESH),
        Event.STOP: (State.STOPPED, (Action.START_OVER,)),
        Event.LEND: (State.LENT, (Action.START_OVER, Action.AWAIT_RETURN)),
        # What has changed is asked for when it wakes.
        Event.CONFIGURED: (State.IDLE, (Action.START_OVER,)),
        Event.DEVICE_ADDED: (State.IDLE, ()),
    },
}


def step(state: State, event: Event) -> Step:
    """Return the state and the actions that follow. Raises IllegalEvent."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalEvent(f"{event.value} cannot happen while {state.value}") from None
