"""One command from the web to a camera's daemon: which, in what form, and what becomes of it.

What passes here can neither run a command on the machine nor make it connect anywhere, whatever its
parameters: a source is a program's arguments (`ffmpeg:`), a file or a URL, so none can be named.
Nor can it end a daemon, or tell of other processes.
"""

from __future__ import annotations

import threading
from typing import Final

from flask import Response, jsonify, request
from framebus.contract.methods import METHODS, OVER_HTTP
from framebus.control.client import ControlClient
from framebus.control.protocol import ProtocolError, Request, parse_request
from framebus.errors import (
    CameraAbsent,
    CommandRefused,
    ControlTimeout,
    FramebusError,
    NoPermission,
    OutOfResources,
)
from framebus.names import CameraNames
from framebus.spelling import did_you_mean

from web_workers.responses.problems import problem

BODY_MAX: Final = 8192
"""Bytes of the largest call."""
TIMEOUT_S: Final = 3.0
AT_ONCE: Final = 2
"""Calls under way in one worker: its threads are for those who look, too."""

_STATUS = {CameraAbsent: 503, NoPermission: 403, OutOfResources: 503, ControlTimeout: 504}
_turns = threading.BoundedSemaphore(AT_ONCE)


def control(names: CameraNames) -> Response:
    """Carry out the call in the request's body, and return the daemon's answer to it."""
    if request.mimetype != "application/json":
        return problem(415, "not-json", "a call is JSON: send Content-Type: application/json")
    if request.content_length is None:
        return problem(411, "no-length", "a call says how long it is: send Content-Length")
    if request.content_length > BODY_MAX:
        return problem(413, "too-large", f"a call has at most {BODY_MAX} bytes")
    try:
        call = parse_request(request.get_data())
    except ProtocolError as error:
        return problem(400, "bad-call", error.message)
    if (refusal := _refused(call)) is not None:
        return problem(403, "not-from-here", refusal, remedy="framebus ctl, on the machine itself")
    if not _turns.acquire(blocking=False):
        return problem(503, "busy", "too many commands at once", retry_after_s=1)
    try:
        return _carried_out(names, call)
    finally:
        _turns.release()


def _refused(call: Request) -> str | None:
    """Return why a call may not pass, None if it may."""
    if call.method not in OVER_HTTP:
        hint = did_you_mean(call.method, OVER_HTTP) or f"; {', '.join(OVER_HTTP)} can"
        return f"{call.method[:64]!r} cannot be called over HTTP{hint}"
    method = METHODS[call.method]
    takes = [each.name for each in method.takes if each.http]
    for name in call.params:
        if not method.takes_controls and name not in takes:
            return f"{call.method} takes no {name[:64]!r} over HTTP{did_you_mean(name, takes)}"
    return None


def _carried_out(names: CameraNames, call: Request) -> Response:
    answer: dict[str, object] = {"jsonrpc": "2.0", "id": call.id}
    try:
        with ControlClient(names, timeout_s=TIMEOUT_S) as client:
            answer["result"] = client.call(call.method, call.params)
    except CommandRefused as error:
        answer["error"] = {"code": error.code, "message": str(error), "data": error.data}
    except FramebusError as error:
        status = _STATUS.get(type(error), 500)
        return problem(status, "not-commanded", str(error), camera=names.camera)
    return jsonify(answer)
