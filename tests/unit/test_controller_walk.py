"""Random walks: whatever people, the camera and the clock do, no event meets a state without it.

The capture thread is imitated: it carries out commands in order, and may say what the real one may
say, late and in between.
"""

from __future__ import annotations

import random
from collections import deque

import pytest
from framebus.contract.causes import Cause, Code
from framebus.contract.words import Rung, State

from capture_daemon.capturing.commands import Close, Command, Observed, Open, RestartStream, RunRung
from capture_daemon.capturing.reports import (
    Closed,
    Failed,
    FrameSeen,
    Opened,
    Report,
    RungDone,
    Settled,
    StreamRestarted,
)
from capture_daemon.lifecycle import table
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.demand import Demand
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.table import OPEN_STATES, WAITING_STATES, Event
from capture_daemon.recovery.rungs import Outcome, Result
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Granted, Request

S = 1_000_000_000
GRANTED = (
    Granted("MJPG", 640, 480, 30.0, device="/dev/video0"),
    Granted("MJPG", 640, 480, 0.0, device="/dev/video0", first_frame_timeout_s=20.0),
)


class Camera:
    """The imitated thread: commands wait until `work`, reports wait until they are delivered."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.commands: deque[Command] = deque()
        self.reports: deque[Report] = deque()
        self.session = 0
        self.open_now = False
        self.frames = 0
        self.now = 0
        self.arrived = 0

    def command(self, command: Command) -> None:
        self.commands.append(command)

    def observed(self) -> Observed:
        return Observed(arrived_ns=self.arrived)

    def work(self, *, well: bool) -> None:
        if not self.commands:
            return
        match self.commands.popleft():
            case Open(session):
                assert not self.open_now, "opened what is open"
                self.session, self.open_now, self.frames = session, well, 0
                permanent = self.chance.random() < 0.2
                self.reports.append(
                    Opened(session, self.chance.choice(GRANTED), "v4l2")
                    if well
                    else self._failure(permanent=permanent)
                )
            case Close(session):
                self.open_now = False
                self.reports.append(Closed(session))
            case RunRung(session, rung):
                assert not self.open_now, "a rung with the device open"
                result = Result.DONE if well else Result.UNAVAILABLE
                self.reports.append(RungDone(session, rung, Outcome(result)))
            case RestartStream(session) if self.open_now and session == self.session:
                self.frames = 0
                self.open_now = well
                self.reports.append(
                    StreamRestarted(session) if well else self._failure(permanent=True)
                )

    def frame(self) -> None:
        if self.open_now:
            self.frames += 1
            self.arrived = self.now
            if self.frames == 1:
                self.reports.append(FrameSeen(self.session, 640, 480))
            if self.frames == 3:
                self.reports.append(Settled(self.session))

    def break_down(self) -> None:
        if self.open_now:
            self.open_now = False
            self.reports.append(self._failure(permanent=False))

    def _failure(self, *, permanent: bool) -> Failed:
        code = self.chance.choice(CODES)
        return Failed(self.session, Cause(code, "broken"), permanent)


CODES: tuple[Code, ...] = (
    *("device-gone", "device-busy", "refused-stream", "stream-broken", "no-permission", "changed"),
)
COMMANDS = (
    "start",
    "stop",
    "restart",
    "configure",
    "added",
    "reset",
    "lend",
    "give-back",
    "wake",
    "rest",
)
CAMERA = (
    "work",
    "fail",
    "frame",
    "break",
    "deliver",
    "tick",
    "tick",
    "pass-0.1",
    "pass-1",
    "pass-6",
)
SMOOTH = ("pump", "pump", "pump", "three-frames", "due")  # so that a walk gets anywhere at all
WORDS = (*COMMANDS, *CAMERA, *CAMERA, *SMOOTH, *SMOOTH)


@pytest.mark.parametrize("seed", range(20))
def test_no_walk_meets_an_illegal_event_and_every_wait_has_its_end(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        walk(chance.choices(WORDS, k=80), chance)


def test_every_row_of_the_table_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = set()

    def step(state: State, event: Event) -> table.Step:
        reached.add((state, event))
        return table.TABLE[state][event]

    monkeypatch.setattr(table, "step", step)
    for seed in range(20):
        chance = random.Random(seed)
        for _ in range(50):
            walk(chance.choices(WORDS, k=80), chance)
    assert reached == {(state, event) for state, row in table.TABLE.items() for event in row}


def walk(steps: list[str], chance: random.Random) -> None:
    camera = Camera(chance)
    controller = CaptureController(
        capture=camera,
        request=CaptureRequest(spec.parse("v4l2:/dev/video0")),
        jitter=lambda: 0.5,
        now_ns=0,
        demand=Demand(idle_after_s=0.5, idle_fps=1.0),
    )
    camera.now = 100 * S
    for number, what in enumerate(steps):
        take(what, number, camera, controller)
        waits = controller.retries.due_ns is not None or controller.retries.under_way is not None
        assert waits == (controller.state in WAITING_STATES)
        if controller.state not in OPEN_STATES:
            assert controller.source.granted is None
        assert (controller.lease is None) == (controller.state is not State.LENT)
        assert (controller.cause(camera.now) is None) == (controller.state is State.STREAMING)


def take(what: str, number: int, camera: Camera, controller: CaptureController) -> None:
    now = camera.now
    match what.split("-"):
        case ["start"]:
            controller.start(now)
        case ["stop"]:
            controller.stop(now)
        case ["restart"]:
            controller.restart(now)
        case ["configure"]:
            controller.configure(
                CaptureRequest(spec.parse("v4l2:/dev/video0"), Request(100 + number, 100)), now
            )
        case ["reset"]:
            controller.reset(Rung.USB_RESET, now)
        case ["lend"] if controller.lease or _node(controller):
            controller.lend(Lease("7a", "/dev/video0", "cheese", now + 3 * S), now)
        case ["wake"]:
            controller.demand.ask((0, "a"), now + 2 * S, now)
            controller.wake(now)
        case ["rest"] if controller.state is State.STOPPED:
            controller.begin_at_rest(now)
        case ["give", "back"]:
            controller.give_back("7a", now)
        case ["added"]:
            controller.device_added(now)
        case ["work" | "fail"]:
            camera.work(well=what == "work")
        case ["frame"]:
            camera.frame()
        case ["break"]:
            camera.break_down()
        case ["three", "frames"]:
            for _ in range(3):
                camera.frame()
        case ["pump"]:
            camera.work(well=True)
            while camera.reports:
                controller.on_report(camera.reports.popleft(), now)
        case ["deliver"] if camera.reports:
            controller.on_report(camera.reports.popleft(), now)
        case ["due"]:
            camera.now = max(now, controller.deadline_ns() or 0)
            controller.tick(camera.now)
        case ["tick"]:
            controller.tick(now)
        case ["pass", seconds]:
            camera.now += int(float(seconds) * S)


def _node(controller: CaptureController) -> str:
    return controller.source.node or controller.source.rested_node
