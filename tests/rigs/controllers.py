"""A controller's surroundings for tests: a capture thread that takes notes, and what reports do."""

from __future__ import annotations

from dataclasses import dataclass, field

from framebus.contract.causes import Cause, Code
from framebus.contract.words import DEVICE_LEVEL, Rejection, Rung, State

from capture_daemon.capturing.commands import Close, Command, Observed, Open, RestartStream, RunRung
from capture_daemon.capturing.reports import Failed, FrameSeen, Opened, Settled, Surveyed
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.fallback import Fallback, fallback_request
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.recovery.rungs import Unavailable
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Granted

S = 1_000_000_000
TEST = CaptureRequest(spec.parse("test"))
CAMERA = CaptureRequest(spec.parse("v4l2:/dev/video0"))
GRANTED = Granted("MJPG", 640, 480, 30.0, device="a device")


@dataclass
class Notes:
    """Stands in for the capture thread."""

    done: list[str] = field(default_factory=list)
    arrived: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    stuck: tuple[str, int | None] = ("", None)
    """What the source is doing, and since when."""
    unchanged_since: int = 0
    refused: int = 0

    def command(self, command: Command) -> None:
        match command:
            case Open(request=request):
                self.done.append(f"open {request.spec.text}")
            case RestartStream():
                self.done.append("restart_stream")
            case Close():
                self.done.append("close")
            case RunRung(rung=rung):
                self.done.append(rung.value)

    def observed(self) -> Observed:
        return Observed(
            arrived_ns=self.arrived,
            rate=30.0,
            rejected=tuple(self.rejected),
            too_large=self.refused,
            unchanged_since_ns=self.unchanged_since,
            doing=self.stuck[0],
            doing_since_ns=self.stuck[1],
        )

    def taken(self) -> list[str]:
        done, self.done = self.done, []
        return done


def state_of(controller: CaptureController) -> State:
    """The state; a function, since mypy believes that an attribute stays as it was asserted."""
    return controller.state


def stream(
    controller: CaptureController, notes: Notes, now_ns: int, *, settled: bool = True
) -> None:
    controller.start(now_ns)
    opened(controller, now_ns)
    frames_come(controller, notes, now_ns, settled=settled)
    notes.taken()


def opened(controller: CaptureController, now_ns: int) -> None:
    """Report that what it asked for last is open."""
    kind = controller.source.request.spec.kind
    controller.on_report(Opened(controller.sessions.number, GRANTED, kind), now_ns)


def frames_come(
    controller: CaptureController, notes: Notes, now_ns: int, *, settled: bool = True
) -> None:
    notes.arrived = now_ns
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), now_ns)
    if settled:
        controller.on_report(Settled(controller.sessions.number), now_ns)


def next_rung(controller: CaptureController) -> Rung | None:
    step = controller.snapshot(0).recovery.step
    return None if step is None else step.rung


def pass_time(controller: CaptureController) -> int:
    """Let what is due next happen, which may be the end of patience; return its time."""
    now = controller.deadline_ns()
    assert now is not None
    controller.tick(now)
    return now


def fail(controller: CaptureController, now_ns: int, *, permanent: bool = False) -> None:
    cause = Cause("device-gone", "the camera is gone", "plug it in")
    controller.on_report(Failed(controller.sessions.number, cause, permanent), now_ns)


def fail_with(controller: CaptureController, code: Code, now_ns: int) -> None:
    controller.on_report(
        Failed(controller.sessions.number, Cause(code, code), permanent=False), now_ns
    )


def fail_until_given_up(controller: CaptureController, now_ns: int) -> int:
    """Let it fail until all was tried in vain, with nothing but tries to be had; return when."""
    controller.start(now_ns)
    none = tuple(Unavailable(rung, "no permission") for rung in DEVICE_LEVEL)
    while True:
        controller.on_report(Surveyed(controller.sessions.number, none), now_ns)
        fail(controller, now_ns)
        if controller.outage.given_up:
            return now_ns
        due_ns = controller.deadline_ns()
        assert due_ns is not None
        now_ns = due_ns
        controller.tick(now_ns)


def streaming(
    request: CaptureRequest, notes: Notes, outage: Outage | None = None
) -> CaptureController:
    controller = CaptureController(
        capture=notes, request=request, jitter=lambda: 0.0, now_ns=0, outage=outage
    )
    controller.start(2 * S)
    controller.on_report(Opened(controller.sessions.number, GRANTED, request.spec.kind), 3 * S)
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), 3 * S)
    return controller


def settled_camera(notes: Notes) -> CaptureController:
    """Return a controller whose camera has streamed since 201 s; `notes` begin after that."""
    controller = CaptureController(
        capture=notes, request=CAMERA, jitter=lambda: 0.0, now_ns=100 * S
    )
    controller.start(200 * S)
    opened(controller, 200 * S)
    frames_come(controller, notes, 201 * S)
    notes.taken()
    return controller


@dataclass
class Air:
    """Stands in for the switcher."""

    fallback: bool = False

    def show_fallback(self, shown: bool) -> None:
        self.fallback = shown


def fallback_of(
    camera: CaptureController,
    *,
    notes: Notes | None = None,
    air: Air | None = None,
    spec: SourceSpec | None = None,
) -> Fallback:
    """A fallback of `camera` with `notes` for a capture thread; None: the camera has none."""
    own = CaptureController(
        capture=notes or Notes(),
        request=fallback_request(camera.source.request, spec or camera.source.request.spec),
        jitter=lambda: 0.0,
        now_ns=0,
    )
    return Fallback(camera=camera, own=own, show=(air or Air()).show_fallback, spec=spec)
