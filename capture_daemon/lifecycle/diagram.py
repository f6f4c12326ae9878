"""Draws docs/lifecycle.md from the tables of the lifecycle and of the recovery ladder.

A test fails when the page is not what `python -m capture_daemon.lifecycle.diagram` prints.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from framebus.contract.words import Rung, State

from capture_daemon.lifecycle.guards import HOPELESS_S
from capture_daemon.lifecycle.silence import QUICK_START_S, SLOW_START_S
from capture_daemon.lifecycle.table import TABLE, Action
from capture_daemon.recovery import budget, delays, ladder
from capture_daemon.recovery.escalation import ENDLESS_TRIES

_HEAD = """\
# The capture's lifecycle

Drawn from `capture_daemon/lifecycle/table.py` and `capture_daemon/recovery/ladder.py`; do not edit,
run `python -m capture_daemon.lifecycle.diagram > docs/lifecycle.md`.
An event that a state's row lacks cannot happen there: it is refused and changes nothing.
Restarting the stream (`restart-stream`) closes the source instead where a source cannot do it.
"""


_LADDER = f"""\
## The recovery ladder

After a failure the ladder chooses the next rung. Each kind of failure has its own rungs, tried in
this order, a number of times in each lap; a rung that is not available is passed over. `give-up`
ends a lap: after its wait the ladder begins anew. A hotplug event or a person ends every wait.

**Nothing only waits.** While a rung waits for the budget of resets, while the camera is given up,
and after a failure that a person must mend, the row's probe goes on: the cheapest rung that could
show that the fault is gone, and that resets nothing. From the end of one try to the beginning of
the next are {delays.PROBE_MOST_S:g} s at most. Tries begin {0.75 * delays.PROBE_SPACING_S:g} to
{delays.PROBE_SPACING_S:g} s apart (reopening a camera several times a second can make it drop off
its bus), so one that waited for frames for as long is followed at once; and a camera that did not
answer is left alone for as long as it was waited for, since a storm of requests after a timeout can
take the whole host down. A camera that has no driver, because it refused it while that was bound,
can only be asked by binding the driver (`bind`). Two exceptions: a server that does not let this
user in, because cameras lock out whoever tries a wrong password again and again; and a camera that
is lent, which is another program's until the time is up.

Success of a rung is a settled stream: ten valid frames without a stall between them. A camera that
was well before gets {QUICK_START_S:g} s for the first of them (or half as long again as
it took then, and half a second), and {SLOW_START_S:g} s like an unknown one after a
reset, and once a lap was in vain. Reopening waits for {delays.RETRY_FIRST_S:g} s, and
for {delays.REOPEN_MOST_S:g} s the next times. So a silent camera that only a USB reset cures is
reset some 4 s after its last frame. A stream that fails again within 10 s of
settling was not cured, and the ladder goes on where it was. The rung that cured a kind of failure
last is jumped to when a lower one has failed once. After a device-level rung no lower one is tried
in the same lap: it includes them; but a device that is in its port without a node (it refused the
driver while that was bound) has its driver bound again, and one that is back and silent has its
stream restarted if that was not tried yet.

`usb-reset`, `reauthorize` and `port-power` share a budget: one in {budget.SPACING_NS // 10**9} s
and {budget.MOST} in {budget.WINDOW_NS // 60 // 10**9} minutes. `rebind` has the same for itself:
it resets nothing on the bus, and paid from one purse, a camera that only a USB reset cures would be
away for half a minute longer. `bind`, which takes no driver away, is only spaced by
{budget.BINDS_SPACING_NS // 10**9} s. The privileged helper keeps the same budgets for each port,
whoever asks.

The device-level rungs, and those about other processes, are carried out by the capture thread with
the device closed (`run-rung`): so they can never meet a descriptor of ours, the main thread never
waits, and whatever a person commands interrupts a wait. `restart-stream` needs the device open; a
source that raised is closed, so that rung is only for silence. While a busy device is given up, its
holder is watched all the same, and the device opened as soon as it lets go.
"""

_FALLBACK = f"""\
## The fallback

It is no state of the capture, and changes none: `capture_daemon/lifecycle/fallback.py` looks at the
capture and shows another source meanwhile. It is wanted once the capture is given up: a `give-up`
was chosen, {ENDLESS_TRIES} tries to open it again have failed where a row has no end, a failure was
permanent, or a call into the source has not returned for {HOPELESS_S:g} s. It is wanted no longer
once the stream has settled, and in `stopped` and `lent`. While it is wanted it is on the air in
every state but `streaming`.
"""


def render() -> str:
    """Return the whole page."""
    drawn = ["```mermaid", *_diagram(), "```"]
    return "\n".join([_HEAD, *drawn, "", *_rows(), "", _LADDER, *_ladder_rows(), "", _FALLBACK])


def _ladder_rows() -> Iterator[str]:
    yield (
        "| failure | rungs, and how often each is tried in a lap | give-up lasts "
        "| probe while something waits |"
    )
    yield "|---|---|---|---|"
    for failure, row in ladder.TABLE.items():
        rungs = ", ".join(_tries(rung, tries) for rung, tries in row.rungs.items())
        first_s, most_s = row.wait_s
        lasts = f"{first_s:g} to {most_s:g} s" if Rung.GIVE_UP in row.rungs else "-"
        waits = Rung.GIVE_UP in row.rungs
        probes = ", else ".join(rung.value for rung in row.probes) or "none"
        yield f"| {failure.value} | {rungs} | {lasts} | {probes if waits else '-'} |"


def _tries(rung: Rung, tries: int) -> str:
    if rung is Rung.GIVE_UP or tries == 1:
        return rung.value
    if rung is Rung.WAIT_FOR_HOLDER:
        return f"{rung.value} for {ladder.HOLDER_PATIENCE_S:g} s"
    return f"{rung.value} without end" if tries == ladder.UNLIMITED else f"{rung.value} x{tries}"


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
