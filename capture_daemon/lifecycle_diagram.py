"""Draws docs/lifecycle.md from the lifecycle's table: `python -m capture_daemon.lifecycle_diagram`.

A test fails when the page is not what this prints.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from capture_daemon.lifecycle import TABLE, Action, State

_HEAD = """\
# The capture's lifecycle

Drawn from `capture_daemon/lifecycle.py`; do not edit, run
`python -m capture_daemon.lifecycle_diagram > docs/lifecycle.md`.
An event that a state's row lacks cannot happen there: it is refused and changes nothing.
Restarting the stream (`restart-stream`) closes the source instead where a source cannot do it.
"""


def render() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, "```mermaid", *_diagram(), "```", "", *_rows(), ""])


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.STOPPED.value}"
    for state, row in TABLE.items():
        arrows: dict[State, list[str]] = {}
        for event, (target, _) in row.items():
            if target is not state:
                arrows.setdefault(target, []).append(event.value)
        for target, events in arrows.items():
            yield f"    {state.value} --> {target.value}: {', '.join(events)}"


def _rows() -> Iterator[str]:
    yield "| state | event | next state | actions |"
    yield "|---|---|---|---|"
    for state, row in TABLE.items():
        for event, (target, actions) in row.items():
            yield f"| {state.value} | {event.value} | {target.value} | {_names(actions)} |"


def _names(actions: tuple[Action, ...]) -> str:
    return ", ".join(action.value for action in actions) or "none"


if __name__ == "__main__":
    sys.stdout.write(render())
