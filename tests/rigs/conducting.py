"""A conductor's surroundings for tests: a capture thread that takes notes, and what reports do."""

from __future__ import annotations

from dataclasses import dataclass, field

from framebus.contract.causes import Cause
from framebus.contract.words import DEVICE_LEVEL, Rung, State

from capture_daemon.capturing.reports import Failed, FrameSeen, Opened, Settled, Surveyed
from capture_daemon.lifecycle.conductor import Conductor
from capture_daemon.lifecycle.fallback import Fallback, fallback_plan
from capture_daemon.recovery.rungs import Unavailable
from capture_daemon.settings import spec
from capture_daemon.settings.plan import Plan
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Granted

S = 1_000_000_000
TEST = Plan(spec.parse("test"))
CAMERA = Plan(spec.parse("v4l2:/dev/video0"))
GRANTED = Granted("MJPG", 640, 480, 30.0, device="a device")


@dataclass
class Notes:
    """Stands in for the capture thread."""

    done: list[str] = field(default_factory=list)
    arrived: int = 0
    rejected: list[str] = field(default_factory=list)
    stuck: tuple[str, float] = ("", 0.0)
    still_since: int = 0
    refused: int = 0

    def open(self, session: int, plan: Plan) -> None:
        self.done.append(f"open {plan.spec.text}")

    def restart_stream(self, session: int) -> None:
        self.done.append("restart_stream")

    def close(self, session: int) -> None:
        self.done.append("close")

    def climb(self, session: int, rung: Rung, limit_s: float) -> None:
        self.done.append(rung.value)

    def arrived_ns(self) -> int:
        return self.arrived

    def rate(self) -> float:
        return 30.0

    def rejected_since(self) -> list[str]:
        return self.rejected

    def too_large(self) -> int:
        return self.refused

    def still_since_ns(self) -> int:
        return self.still_since

    def blocked(self, now_ns: int) -> tuple[str, float]:
        return self.stuck

    def taken(self) -> list[str]:
        done, self.done = self.done, []
        return done


def state_of(conductor: Conductor) -> State:
    """The state; a function, since mypy believes that an attribute stays as it was asserted."""
    return conductor.state


def stream(conductor: Conductor, notes: Notes, now_ns: int, *, settled: bool = True) -> None:
    conductor.start(now_ns)
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, "test"), now_ns)
    notes.arrived = now_ns
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), now_ns)
    if settled:
        conductor.on_report(Settled(conductor.sessions.number), now_ns)
    notes.taken()


def fall_silent(conductor: Conductor) -> int:
    """Let time pass until the silence is due, and return that moment."""
    now = conductor.deadline_ns()
    assert now is not None
    conductor.tick(now)
    return now


def fail(conductor: Conductor, now_ns: int, *, permanent: bool = False) -> None:
    cause = Cause("device-gone", "the camera is gone", "plug it in")
    conductor.on_report(Failed(conductor.sessions.number, cause, permanent), now_ns)


def fail_until_given_up(conductor: Conductor, now_ns: int) -> int:
    """Let it fail until all was tried in vain, with nothing but tries to be had; return when."""
    conductor.start(now_ns)
    none = tuple(Unavailable(rung, "no permission") for rung in DEVICE_LEVEL)
    while True:
        conductor.on_report(Surveyed(conductor.sessions.number, none), now_ns)
        fail(conductor, now_ns)
        if conductor.outage.given_up:
            return now_ns
        due_ns = conductor.deadline_ns()
        assert due_ns is not None
        now_ns = due_ns
        conductor.tick(now_ns)


def streaming(plan: Plan, notes: Notes) -> Conductor:
    conductor = Conductor(capture=notes, plan=plan, jitter=lambda: 0.0, now_ns=0)
    conductor.start(2 * S)
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, plan.spec.kind), 3 * S)
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), 3 * S)
    return conductor


@dataclass
class Air:
    """Stands in for the switcher."""

    fallback: bool = False

    def show_fallback(self, shown: bool) -> None:
        self.fallback = shown


def fallback_of(
    camera: Conductor,
    *,
    notes: Notes | None = None,
    air: Air | None = None,
    spec: SourceSpec | None = None,
) -> Fallback:
    """A fallback of `camera` with `notes` for a capture thread; None: the camera has none."""
    own = Conductor(
        capture=notes or Notes(),
        plan=fallback_plan(camera.source.plan, spec or camera.source.plan.spec),
        jitter=lambda: 0.0,
        now_ns=0,
    )
    return Fallback(camera=camera, own=own, air=air or Air(), spec=spec)
