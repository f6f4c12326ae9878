"""The routes: each reads its query, asks the module that knows, and answers. docs/http.md."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request
from framebus.demand import DemandLease
from framebus.errors import CameraAbsent, FrameGone
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.ring.reader import UNREADABLE

from web_workers.access.authorizer import ADDRESS
from web_workers.access.decisions import Decision, decided
from web_workers.cameras import snapshot
from web_workers.cameras.incidents import incidents
from web_workers.cameras.observe import Observation, observe
from web_workers.cameras.waking import awake
from web_workers.feeds import events
from web_workers.metrics.scrape import scrape
from web_workers.pages import aliases, generators, queries, state
from web_workers.responses.paths import only_as_it_stands, root
from web_workers.responses.problems import problem
from web_workers.responses.takeover import (
    ADMISSION,
    STREAMS,
    EventTicket,
    Streams,
    TakenOverResponse,
    Ticket,
)
from web_workers.settings import Cameras
from web_workers.wire import multipart

_NO_BUFFERING = {"X-Accel-Buffering": "no"}  # nginx would hold a stream back
_WAITING_MAX = 4  # of a worker's eight request threads: the others go on answering
_DEFAULT_CAMERA = {
    **{what: what for what in ("stream", "snapshot", "state")},
    **aliases.FILES,
    **aliases.DEFAULT_CAMERA_ONLY,
}
"""Paths of the default camera, and what each means."""


def routes(cameras: Cameras) -> Blueprint:
    """Return all routes over these cameras."""
    views = _Views(cameras)
    blueprint = Blueprint("framebus", __name__)
    for path, decision, view in (
        ("/", Decision.VIEW, views.index),
        ("/cameras", Decision.VIEW, views.cameras),
        ("/cameras/<name>", Decision.VIEW, views.camera),
        ("/events", Decision.VIEW, views.all_events),
        ("/healthz", Decision.OPEN, views.healthz),
        ("/metrics", Decision.VIEW, only_as_it_stands(views.metrics)),
        ("/readyz", Decision.VIEW, views.readyz),
        ("/favicon.ico", Decision.OPEN, views.icon),
        ("/robots.txt", Decision.OPEN, views.robots),
    ):
        blueprint.add_url_rule(path, view.__name__, decided(decision, view))
    for of_camera in (views.stream, views.snapshot, views.state, views.events, views.incidents):
        name, guarded = of_camera.__name__, decided(Decision.VIEW, of_camera)
        blueprint.add_url_rule(f"/cameras/<name>/{name}", name, guarded)
        for file, means in aliases.FILES.items():
            if means == name:
                blueprint.add_url_rule(f"/cameras/<name>/{file}", name)
        for path, means in _DEFAULT_CAMERA.items():
            if means == name:
                blueprint.add_url_rule(
                    f"/{path}", f"default_{name}", guarded, defaults={"name": cameras.default}
                )
    return blueprint


class _Views:
    """The views, over one list of cameras."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras
        self._leases: dict[str, DemandLease] = {}
        self._waiting = threading.BoundedSemaphore(_WAITING_MAX)

    def index(self) -> Response | str:
        """The page; or what mjpg-streamer's clients ask for at this path."""
        try:
            asked = aliases.action(request.args)
            if asked is None:
                return render_template("index.html", cameras=self._cameras.known(), root=root())
            what, number = asked
            camera = aliases.numbered(self._cameras.in_order(), number)
        except aliases.UnknownAction as error:
            return problem(404, "no-such-action", str(error))
        return self.stream(camera) if what == "stream" else self.snapshot(camera)

    def cameras(self) -> Response:
        """The list of cameras."""
        seen = [self._observe(camera) for camera in self._cameras.known()]
        return jsonify({"cameras": [state.summary(each, root()) for each in seen]})

    def camera(self, name: str) -> Response:
        """One of them."""
        return jsonify(state.summary(self._observe(self._cameras.existing(name).camera), root()))

    def stream(self, name: str) -> Response:
        """A camera's frames, endless."""
        ticket = queries.frame_ticket(self._cameras.existing(name).camera, request.args)
        return _endless(
            ticket, lambda: generators.frames(ticket, self._cameras), multipart.CONTENT_TYPE
        )

    def snapshot(self, name: str) -> Response:
        """One frame: the newest, or one of some seconds ago."""
        names = self._cameras.existing(name)
        ago_s = queries.ago_s(request.args)
        stand_in = queries.flag(request.args, "placeholder")
        if ago_s is not None:
            return self._earlier(names, ago_s)
        seen = self._awake(names, observe(names, now_ns=time.monotonic_ns()))
        frame = snapshot.newest(names)
        if seen.fresh and frame is not None:
            return _frame(frame)
        if seen.cause is not None and stand_in:
            return _picture(generators.placeholder(names.camera, seen.cause, frame))
        return _away(seen)

    def state(self, name: str) -> Response:
        """Everything that is known about a camera."""
        names = self._cameras.existing(name)
        streams = request.environ.get(STREAMS)
        viewers = streams.viewers(names.camera) if streams is not None else []
        seen = observe(names, now_ns=time.monotonic_ns())
        return jsonify(state.state(seen, viewers, os.getpid()))

    def incidents(self, name: str) -> Response:
        """A camera's losses of frames, newest first."""
        return jsonify(incidents(self._cameras.existing(name), queries.limit(request.args)))

    def events(self, name: str) -> Response:
        """A camera's state, live."""
        return self._events(EventTicket(self._cameras.existing(name).camera))

    def all_events(self) -> Response:
        """All cameras' states, live, over one connection: browsers allow six a host."""
        return self._events(EventTicket(None))

    def healthz(self) -> Response:
        """Whether this worker answers; says nothing of cameras."""
        return jsonify({"ok": True})

    def icon(self) -> Response:
        """The page's icon: browsers ask for it here beside a stream that has a tab of its own."""
        return current_app.send_static_file("icon.svg")

    def robots(self) -> Response:
        """What search engines may keep: nothing."""
        return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")

    def metrics(self) -> Response:
        """Everything that can be counted, for Prometheus."""
        streams = request.environ.get(STREAMS)
        body, content_type = scrape(self._cameras, streams, request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    def readyz(self) -> tuple[Response, int]:
        """Whether the default camera, or the one asked for, gives fresh frames, or would."""
        name = request.args.get("camera", self._cameras.default)
        seen = observe(self._cameras.existing(name), now_ns=time.monotonic_ns())
        return jsonify(state.readiness(seen)), 200 if seen.ready else 503

    def _awake(self, names: CameraNames, seen: Observation) -> Observation:
        """Want a camera's frames, and wait for one that wakes, if not too many do so already."""
        lease = self._leases.get(names.camera)
        if lease is None:
            lease = self._leases.setdefault(names.camera, DemandLease(names))
        if not self._waiting.acquire(blocking=False):
            lease.renew_told(seen.status)
            return seen
        try:
            return awake(names, seen, lease)
        finally:
            self._waiting.release()

    def _events(self, ticket: EventTicket) -> Response:
        streams = request.environ.get(STREAMS)
        return _endless(
            ticket, lambda: generators.states(ticket, self._cameras, streams), events.CONTENT_TYPE
        )

    def _earlier(self, names: CameraNames, ago_s: float) -> Response:
        try:
            frame = snapshot.earlier(names, ago_s, time.monotonic_ns())
        except FrameGone as error:
            return problem(404, "not-in-history", str(error))
        except (CameraAbsent, *UNREADABLE):
            return _away(self._observe(names.camera))
        return _frame(frame)

    def _observe(self, camera: str) -> Observation:
        return observe(self._cameras.names(camera), now_ns=time.monotonic_ns())


def _endless(
    ticket: Ticket, fallback: Callable[[], Iterator[bytes]], content_type: str
) -> Response:
    """Answer with what has no end, if another viewer is admitted; raises LimitReached."""
    streams: Streams | None = request.environ.get(STREAMS)
    response = TakenOverResponse(ticket, fallback, content_type=content_type)
    response.headers.update(_NO_BUFFERING)
    if streams is not None and request.method == "GET":
        request.environ[ADMISSION] = streams.admit(ticket, g.get(ADDRESS) or request.remote_addr)
    return response


def _frame(frame: Frame) -> Response:
    """Answer with a frame; in short where it is the one that the client says it has."""
    response = _picture(multipart.Picture.of(frame))
    response.set_etag(snapshot.etag(frame))
    response.make_conditional(request)
    return response


def _picture(picture: multipart.Picture) -> Response:
    head = multipart.headers(picture) + multipart.ustreamer_headers(picture, time.monotonic_ns())
    return Response(bytes(picture.jpeg), headers=head)


def _away(seen: Observation) -> Response:
    """Answer for a camera without a fresh frame."""
    cause: dict[str, Any] = seen.cause.document() if seen.cause is not None else {}
    return problem(
        503,
        cause.get("code", "no-frames"),
        cause.get("message", "the newest frame was overwritten while it was read"),
        remedy=cause.get("remedy", "ask again"),
        camera=seen.camera,
        state=seen.state,
        age_s=seen.age_s,
        retry_after_s=1,
    )
