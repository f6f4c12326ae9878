"""The capture's state machine: a table, and the delays between tries. It must not do any I/O.

Everything that decides what the capture does next stands in `TABLE`. The conductor feeds it
events and carries out the actions that it returns; docs/lifecycle.md is drawn from it
(`python -m capture_daemon.lifecycle_diagram`).

There is no "closing" state: commands to the capture thread are carried out one after another, so
an OPEN queued behind a CLOSE can never meet the device still held by ourselves.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class State(enum.Enum):
    """Where the capture is."""

    STOPPED = "stopped"
    """A person wants no capture."""
    OPENING = "opening"
    """The source is being opened, or is open and has not given its first valid frame yet."""
    STREAMING = "streaming"
    """Valid frames arrive."""
    STALLED = "stalled"
    """Open, but silent for too long; its stream is being restarted."""
    BACKOFF = "backoff"
    """It failed; the next try waits."""
    FAILED = "failed"
    """It failed in a way that a person must mend; tried again now and then all the same."""


class Event(enum.Enum):
    """What happened. Those above the line come from people, those below from the threads."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CONFIGURED = "configured"
    """The source or what is requested of it has changed."""
    # ------------------------------------------------------------------
    OPENED = "opened"
    FRAME = "frame"
    """The first valid frame after an open or a stream restart."""
    SETTLED = "settled"
    """The stream has proved itself: enough valid frames in a row."""
    SILENCE = "silence"
    """No valid frame for too long."""
    SILENCE_AGAIN = "silence-again"
    """Silent again, and the stream had not settled since it was last restarted."""
    STREAM_RESTARTED = "stream-restarted"
    FAILURE = "failure"
    """The source raised, and is closed."""
    PERMANENT_FAILURE = "permanent-failure"
    """The same, and trying again unchanged cannot help."""
    RETRY_DUE = "retry-due"
    DEVICE_ADDED = "device-added"
    """A device appeared that may be ours."""


class Action(enum.Enum):
    """What the conductor must do, in the order given."""

    OPEN = "open"
    CLOSE = "close"
    RESTART_STREAM = "restart-stream"
    RETRY_SOON = "retry-soon"
    """Count a failure, and ask for RETRY_DUE after `retry_delay_s`."""
    RETRY_SLOWLY = "retry-slowly"
    """The same after `slow_retry_delay_s`."""
    FORGET_FAILURES = "forget-failures"
    """Start counting failures from 0."""


class IllegalEvent(Exception):
    """The event cannot happen in this state: a bug. Nothing was changed."""


OPEN_STATES = frozenset({State.OPENING, State.STREAMING, State.STALLED})
"""A source is open, or is being opened."""
WAITING_STATES = frozenset({State.BACKOFF, State.FAILED})
"""The next try is due at some time."""

Step = tuple[State, tuple[Action, ...]]

_REOPEN = (Action.FORGET_FAILURES, Action.CLOSE, Action.OPEN)
_OPEN_AFRESH = (Action.FORGET_FAILURES, Action.OPEN)

_WHILE_OPEN: Mapping[Event, Step] = {
    Event.STOP: (State.STOPPED, (Action.FORGET_FAILURES, Action.CLOSE)),
    Event.CONFIGURED: (State.OPENING, _REOPEN),
    Event.FAILURE: (State.BACKOFF, (Action.RETRY_SOON,)),
    Event.PERMANENT_FAILURE: (State.FAILED, (Action.RETRY_SLOWLY,)),
}

# Anything that might have mended it ends the wait.
_WHILE_WAITING: Mapping[Event, Step] = {
    Event.START: (State.OPENING, _OPEN_AFRESH),
    Event.RESTART: (State.OPENING, _OPEN_AFRESH),
    Event.CONFIGURED: (State.OPENING, _OPEN_AFRESH),
    Event.STOP: (State.STOPPED, (Action.FORGET_FAILURES,)),
    Event.RETRY_DUE: (State.OPENING, (Action.OPEN,)),
    Event.DEVICE_ADDED: (State.OPENING, (Action.OPEN,)),
}

TABLE: Mapping[State, Mapping[Event, Step]] = {
    State.STOPPED: {
        Event.START: (State.OPENING, _OPEN_AFRESH),
        Event.RESTART: (State.OPENING, _OPEN_AFRESH),
        Event.STOP: (State.STOPPED, ()),
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
        Event.FRAME: (State.STREAMING, ()),
        Event.SETTLED: (State.STREAMING, (Action.FORGET_FAILURES,)),
        Event.SILENCE: (State.STALLED, (Action.RESTART_STREAM,)),
        # It came back by itself just before the restart that was under way.
        Event.STREAM_RESTARTED: (State.STALLED, ()),
        # Restarting the stream did not last: let go of the device and open it again.
        Event.SILENCE_AGAIN: (State.BACKOFF, (Action.CLOSE, Action.RETRY_SOON)),
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
        Event.SILENCE: (State.BACKOFF, (Action.CLOSE, Action.RETRY_SOON)),
    },
    State.BACKOFF: _WHILE_WAITING,
    State.FAILED: _WHILE_WAITING,
}


def step(state: State, event: Event) -> Step:
    """Return the state and the actions that follow. Raises IllegalEvent."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalEvent(f"{event.value} cannot happen while {state.value}") from None


RETRY_FIRST_S = 0.5
RETRY_MOST_S = 10.0
SLOW_RETRY_FIRST_S = 30.0
SLOW_RETRY_MOST_S = 300.0


def retry_delay_s(failures: int, jitter: float) -> float:
    """Return how long to wait after the `failures`-th failure in a row (from 1), in seconds.

    0.5 s doubling to 10 s: reopening is itself a risk (a camera that was reopened every 0.3 s
    dropped off its bus), so tries are spaced. `jitter` (0 to 1) takes off up to a quarter, so that
    several cameras on one bus do not try in step.
    """
    return _doubling(RETRY_FIRST_S, RETRY_MOST_S, failures, jitter)


def slow_retry_delay_s(failures: int, jitter: float) -> float:
    """Return the wait after the `failures`-th permanent failure in a row, in seconds.

    A permanent failure waits for a person, but that person may mend it without telling us
    (installs ffmpeg, joins a group, restores a file), and the camera must not stay down for that:
    30 s doubling to 5 minutes.
    """
    return _doubling(SLOW_RETRY_FIRST_S, SLOW_RETRY_MOST_S, failures, jitter)


def _doubling(first_s: float, most_s: float, failures: int, jitter: float) -> float:
    doublings = min(max(failures, 1) - 1, 16)  # 2**16 is beyond every limit here
    delay_s = min(most_s, first_s * 2.0**doublings)
    return max(first_s, delay_s * (1.0 - 0.25 * jitter))


SILENT_INTERVALS = 3
SLOW_START_S = 5.0
"""How long a source may take from open to its first valid frame: real cameras take 3 s and more."""


def silence_limit_s(granted_fps: float, measured_fps: float, jitter_s: float) -> float:
    """Return how long a stream may go without a valid frame before it counts as stalled, seconds.

    Three frame intervals and the source's jitter. The slower of the granted and the measured rate
    counts: in the dark a camera that was granted 30 fps may give 5, and is not stalled.
    0: unknown.
    """
    rates = [fps for fps in (granted_fps, measured_fps) if fps > 0]
    interval_s = 1.0 / min(rates) if rates else 0.5
    return SILENT_INTERVALS * interval_s + jitter_s
