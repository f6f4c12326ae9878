"""The control socket's messages: JSON-RPC 2.0, one JSON text a message. Both ends use this file.

    DEALER ─► ROUTER   [text]  or, from a REQ,  ["", text]
    ROUTER ─► DEALER   the same parts, with the reply as text

    request   {"jsonrpc": "2.0", "id": 7, "method": "configure", "params": {"fps": 15}}
    reply     {"jsonrpc": "2.0", "id": 7, "result": {...}}
    error     {"jsonrpc": "2.0", "id": 7, "error": {"code": -32602, "message": "...", "data": ...}}

`id` is a string or an integer; `params` an object or left out. A message is at most 64 KiB. There
are no batches and no notifications: an answer always comes. Everything received is hostile until
`parse_request` has returned it. This file knows no socket.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Final

MESSAGE_MAX: Final = 64 * 1024
"""Bytes of the largest message either side accepts."""

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
# framebus's own, in the range that JSON-RPC 2.0 leaves to servers.
NOT_SUPPORTED: Final = -32000
"""This source cannot do that at all."""
NOT_NOW: Final = -32001
"""Possible, but not in the present state (no camera is open)."""
HELD: Final = -32002
"""Another process has the device."""
CAMERA_REFUSED: Final = -32003
"""The camera, or its driver, said no."""

RequestId = int | str


class ProtocolError(Exception):
    """A message that is no valid request; `code` is JSON-RPC's, `id` what could be read of it."""

    def __init__(self, code: int, message: str, id_: RequestId | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.id = id_


@dataclass(frozen=True, slots=True)
class Request:
    """One call, checked for its form only: method and params are the handler's to judge."""

    id: RequestId
    method: str
    params: dict[str, object] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the message. Raises ValueError for a number that JSON has not: inf, nan."""
        document = {
            "jsonrpc": "2.0",
            "id": self.id,
            "method": self.method,
            "params": self.params,
        }
        return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a result, or an error with its code."""

    id: RequestId | None
    result: object = None
    code: int = 0
    message: str = ""
    data: object = None

    def encode(self) -> bytes:
        """Return the message."""
        document: dict[str, object] = {"jsonrpc": "2.0", "id": self.id}
        if self.code:
            error: dict[str, object] = {"code": self.code, "message": self.message}
            if self.data is not None:
                error["data"] = self.data
            document["error"] = error
        else:
            document["result"] = self.result
        return json.dumps(document, separators=(",", ":")).encode()


def no_constant(text: str) -> float:
    """Raise ValueError for what Python's JSON has besides: NaN and the infinities."""
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e400: it could not be passed on, and is nobody's setting
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _load(message: bytes) -> object:
    """Parse strict JSON; raises ProtocolError for whatever is wrong with it."""
    try:
        if len(message) > MESSAGE_MAX:
            raise ValueError(f"a message is at most {MESSAGE_MAX} bytes")
        text = message.decode("utf-8")
        return json.loads(text, parse_constant=no_constant, parse_float=_finite)
    except RecursionError:
        problem = "nested too deeply"
    except ValueError as error:
        problem = str(error)
    raise ProtocolError(PARSE_ERROR, f"not a JSON text: {problem}")


def parse_request(message: bytes) -> Request:
    """Return the request in a message; raises ProtocolError for anything else."""
    document = _load(message)
    if not isinstance(document, dict):
        raise ProtocolError(INVALID_REQUEST, "a request is one JSON object; there are no batches")
    id_ = document.get("id")
    if isinstance(id_, bool) or not isinstance(id_, int | str):
        raise ProtocolError(INVALID_REQUEST, 'a request needs an "id": a string or an integer')
    if isinstance(id_, str) and len(id_) > 128:
        raise ProtocolError(INVALID_REQUEST, 'an "id" has at most 128 characters')
    if document.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, '"jsonrpc" must be "2.0"', id_)
    method, params = document.get("method"), document.get("params", {})
    if not isinstance(method, str):
        raise ProtocolError(INVALID_REQUEST, '"method" must be a string', id_)
    if not isinstance(params, dict):
        raise ProtocolError(INVALID_REQUEST, '"params" must be an object', id_)
    return Request(id_, method, params)


def parse_reply(message: bytes) -> Reply:
    """Return the reply in a message; raises ProtocolError for anything else."""
    document = _load(message)
    if not isinstance(document, dict) or not {"id", "jsonrpc"} <= document.keys():
        raise ProtocolError(INVALID_REQUEST, "not a JSON-RPC reply")
    failure = document.get("error")
    if failure is None:
        return Reply(document["id"], result=document.get("result"))
    if not isinstance(failure, dict) or not isinstance(failure.get("code"), int):
        raise ProtocolError(INVALID_REQUEST, "not a JSON-RPC error")
    return Reply(
        document["id"],
        code=failure["code"],
        message=str(failure.get("message", "")),
        data=failure.get("data"),
    )
