"""Which rung is next: a table for each kind of failure, and one function over it. Pure.

Nothing here does any I/O or knows a clock: what was tried, what is available and the time come in.
A rung has succeeded when the stream has settled (ten valid frames without a stall between them),
never because a call returned 0; that is for the controller to see.

The rules, beyond the order of the table:

- A rung that is not available, or that the budget will not allow within 30 s, is passed over.
- After a device-level rung the lower ones are not tried again in this lap: it includes them. But a
  device that is still on its way back is opened more than once, one that is in its port without a
  node (it refused the driver while that was bound) has it bound again, and one that is back and
  silent has its stream restarted if that was not tried yet.
- The rung that cured this camera last of this kind of failure is jumped to once a lower one failed.
- Giving up ends a lap: after its wait the ladder begins anew, within the budget.
- Whatever waits, for the budget or because it was given up, looks meanwhile whether the fault is
  gone, by the cheapest rung that could show it and resets nothing: the row's probe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.recovery import budget, delays
from capture_daemon.recovery.budget import Budgets
from capture_daemon.recovery.failures import Failure
from capture_daemon.recovery.rungs import Unavailable

HOLDER_PATIENCE_S = 6.5
"""How long a holder is waited for: a hung camera makes a dying process take over 5 s to let go."""
UNLIMITED = 1 << 30
"""So many tries are tries without end."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is done about one kind of failure."""

    rungs: Mapping[Rung, int]
    """In order, each with how often it is tried in one lap; without GIVE_UP the last goes on."""
    wait_s: tuple[float, float] = (30.0, 300.0)
    """How long giving up lasts: the first time, and at most."""
    reopen_most_s: float = delays.REOPEN_MOST_S
    """How long is waited before reopening, at most."""
    probes: tuple[Rung, ...] = (Rung.REOPEN,)
    """The first of these that is available is done over and over while something dearer waits."""


_USB = {Rung.REBIND: 1, Rung.USB_RESET: 1, Rung.REAUTHORIZE: 1, Rung.PORT_POWER: 1}
_END = {Rung.GIVE_UP: UNLIMITED}

TABLE: Mapping[Failure, Row] = {
    Failure.SILENT: Row({Rung.RESTART_STREAM: 1, Rung.REOPEN: 1} | _USB | _END),
    # A source that raised is closed, so restarting its stream is not to be had.
    Failure.BROKEN: Row({Rung.REOPEN: 2} | _USB | _END),
    # The driver is not what refuses: binding it again would only ask once more.
    Failure.REFUSED: Row(
        {Rung.REOPEN: 3, Rung.USB_RESET: 1, Rung.REAUTHORIZE: 1, Rung.PORT_POWER: 1} | _END
    ),
    Failure.BUSY: Row({Rung.WAIT_FOR_HOLDER: UNLIMITED, Rung.END_HOLDER: 1} | _END),
    # Looking for a device that is not there touches nothing, so it may go on at a brisk pace where
    # no hotplug event can be heard. The device-level rungs are available only while something is
    # in its port: unbound or deauthorised from outside, or a camera that refused its driver; such a
    # one can only be asked by binding the driver.
    Failure.AWAY: Row(
        {Rung.REOPEN: 3, Rung.BIND: 1} | _USB | _END,
        wait_s=(5.0, 10.0),
        probes=(Rung.BIND, Rung.REOPEN),
    ),
    # A node appears before udev has given it to its group.
    Failure.FORBIDDEN: Row({Rung.REOPEN: 3} | _END),
    Failure.NO_BANDWIDTH: Row({Rung.REOPEN: 1} | _END),
    Failure.SHORTAGE: Row({Rung.REOPEN: 3} | _END, wait_s=(10.0, 60.0)),
    Failure.OTHER: Row(
        {Rung.RESTART_STREAM: 1, Rung.REOPEN: UNLIMITED}, reopen_most_s=delays.RETRY_MOST_S
    ),
    # Cameras lock a user out, or an address, after a few wrong passwords: nothing is tried between.
    Failure.DENIED: Row(_END, probes=()),
    # A person may mend it without telling us: installs ffmpeg, restores a file.
    Failure.UNUSABLE: Row(_END),
}

_ON_ITS_WAY = frozenset({Failure.AWAY, Failure.FORBIDDEN, Failure.OTHER})
"""After a reset the device may not be back yet: opening it again is not the rung it was."""


_CHEAP = frozenset({Rung.WAIT_FOR_HOLDER, Rung.RESTART_STREAM, Rung.REOPEN, Rung.BIND})
"""They show whether the fault is gone, and wait for seconds at most."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the choice depends on, but for the time."""

    failure: Failure
    open_now: bool = False
    """The device is still open: its stream can be restarted."""
    tried: Mapping[Rung, int] = field(default_factory=dict)
    """How often each rung was tried in this lap."""
    failing_since_ns: int = 0
    """When this kind of failure began in this lap."""
    laps: int = 0
    """How many laps were in vain."""
    remembered: Rung | None = None
    """What cured this camera of this kind of failure last."""
    unavailable: Mapping[Rung, Unavailable] = field(default_factory=dict)
    budgets: Budgets = field(default_factory=Budgets)
    rests_until_ns: int = 0
    """Until when it is given up."""
    took_s: float = 0.0
    """How long the try took that has just failed."""
    unanswered_s: float = 0.0
    """How much of that went by without an answer."""


@dataclass(frozen=True, slots=True)
class Step:
    """The rung to try, not before `due_ns`; and what is tried while it waits."""

    rung: Rung
    due_ns: int
    limit_s: float = 0.0
    """How long the rung may wait for a holder to let go."""
    passed: tuple[Unavailable, ...] = ()
    """The cheaper rungs that were passed over, and why."""
    probe: Rung | None = None
    """What is tried before; None if the wait is too short for it, or nothing may be tried."""
    probe_ns: int = 0
    """When that is due."""

    @property
    def first_ns(self) -> int:
        """When something is due."""
        return self.due_ns if self.probe is None else self.probe_ns


def next_step(situation: Situation, now_ns: int, jitter: float) -> Step:
    """Return what to do next; `jitter` is 0 to 1."""
    if now_ns < situation.rests_until_ns:
        step = Step(Rung.GIVE_UP, situation.rests_until_ns)
    else:
        step = _next_rung(situation, now_ns, jitter)
    step = _with_probe(step, situation, now_ns, jitter)
    return replace(step, limit_s=_limit_s(situation, step, now_ns))


def _with_probe(step: Step, situation: Situation, now_ns: int, jitter: float) -> Step:
    """Return the step with what is tried while it waits for its time."""
    delay_s = delays.probe_delay_s(situation.took_s, situation.unanswered_s, jitter)
    probe_ns = now_ns + round(delay_s * 1e9)
    if step.rung is Rung.GIVE_UP:  # it ends in a look, too
        probe_ns = min(probe_ns, step.due_ns)
    elif step.rung in _CHEAP or step.due_ns <= probe_ns:
        return step
    return replace(step, probe=_probe(situation), probe_ns=probe_ns)


def _probe(situation: Situation) -> Rung | None:
    probes = TABLE[situation.failure].probes
    return next((each for each in probes if each not in situation.unavailable), None)


def _next_rung(situation: Situation, now_ns: int, jitter: float) -> Step:
    row = TABLE[situation.failure]
    jump = _jump(situation, row)
    passed: list[Unavailable] = []
    for rung, tries in row.rungs.items():
        tried = situation.tried.get(rung, 0)
        if tried >= tries:
            continue
        if jump is not None and rung.number < jump.number:
            passed.append(Unavailable(rung, f"{jump.value} helped the last time"))
            continue
        if objection := _objection(situation, rung, now_ns):
            passed.append(objection)
            continue
        delay_s = _delay_s(situation, row, rung, jitter)
        due_ns = max(now_ns + round(delay_s * 1e9), situation.budgets.free_ns(rung, now_ns))
        return Step(rung, due_ns, passed=tuple(passed))
    raise ValueError(f"the row of {situation.failure} has no end")


def _jump(situation: Situation, row: Row) -> Rung | None:
    """Return the rung that cured it last, if it is to be used out of its order."""
    rung = situation.remembered
    if (
        rung is None
        or rung not in row.rungs
        or rung in situation.tried
        or rung in situation.unavailable
    ):
        return None
    lower_failed = any(lower.number < rung.number for lower in situation.tried)
    return rung if lower_failed else None


def _objection(situation: Situation, rung: Rung, now_ns: int) -> Unavailable | None:
    """Return why `rung` is no choice now, None if it is one."""
    if rung is Rung.GIVE_UP:
        return None
    if rung is Rung.RESTART_STREAM:
        return None if situation.open_now else Unavailable(rung, "nothing is open")
    highest = max((each.number for each in situation.tried if each in DEVICE_LEVEL), default=0)
    if rung.number < highest and not _may_help_after_reset(situation.failure, rung):
        return Unavailable(rung, "a higher rung, which includes it, did not help")
    probe = _probe(situation)
    if situation.laps and probe is not rung and rung in TABLE[situation.failure].probes:
        return Unavailable(rung, f"{probe.value if probe else 'nothing'} shows more")
    if rung is Rung.WAIT_FOR_HOLDER:
        waited_s = (now_ns - situation.failing_since_ns) / 1e9
        if waited_s >= HOLDER_PATIENCE_S:
            return Unavailable(rung, f"it was waited for {waited_s:.0f} s")
    if situation.budgets.free_ns(rung, now_ns) - now_ns > budget.SPACING_NS:
        return Unavailable(rung, "there were enough resets for now")
    return situation.unavailable.get(rung)


def _may_help_after_reset(failure: Failure, rung: Rung) -> bool:
    """Tell whether a rung is worth a try in spite of a higher one that was tried before it."""
    if rung is Rung.REOPEN:
        return failure in _ON_ITS_WAY
    return rung in (Rung.BIND, Rung.REBIND) and failure is Failure.AWAY


def _delay_s(situation: Situation, row: Row, rung: Rung, jitter: float) -> float:
    tries = situation.tried.get(rung, 0) + 1
    match rung:
        case Rung.REOPEN:
            waited_s = situation.took_s - situation.unanswered_s  # for frames, with it open
            if waited_s >= delays.PROBE_SPACING_S:
                return delays.PROBE_LEAST_S
            return delays.doubling_s(delays.RETRY_FIRST_S, row.reopen_most_s, tries, jitter)
        case Rung.WAIT_FOR_HOLDER:
            return delays.doubling_s(delays.HOLDER_FIRST_S, delays.HOLDER_MOST_S, tries, jitter)
        case Rung.GIVE_UP:
            return delays.doubling_s(*row.wait_s, situation.laps + 1, jitter)
        case _:
            return 0.0


def _limit_s(situation: Situation, step: Step, now_ns: int) -> float:
    if situation.failure is not Failure.BUSY:
        return 0.0
    if step.rung is Rung.GIVE_UP:  # a holder that lets go ends the wait
        return (step.first_ns - now_ns) / 1e9
    waited_s = (now_ns - situation.failing_since_ns) / 1e9
    return max(0.0, HOLDER_PATIENCE_S - waited_s)
