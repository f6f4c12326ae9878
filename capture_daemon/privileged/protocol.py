"""What the helper is asked and answers: one line of JSON each way on a Unix stream socket. Pure.

    {"verb": "usb-reset", "port": "1-1.2"}
    {"ok": true, "note": "1-1.2 was reset"}
    {"ok": false, "error": "not-a-camera", "note": "1-1.2 has no video interface"}

A fixed verb and a port, nothing else: any other key is refused, and so is anything that is not
exactly this. A connection carries one request. Errors: "malformed", "no-such-verb", "bad-port",
"absent", "not-a-camera", "not-allowed" (this port's power), "too-often", "failed".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.devices.sysfs import BadPort, UsbPort

REQUEST_MAX: Final = 200
"""Bytes of a request with its line feed."""
REPLY_MAX: Final = 1000
_VERBS = {rung.value: rung for rung in DEVICE_LEVEL}


@dataclass(frozen=True, slots=True)
class Request:
    """One verb for one port."""

    rung: Rung
    port: str

    def encode(self) -> bytes:
        """Return the line to send."""
        return json.dumps({"verb": self.rung.value, "port": self.port}).encode("ascii") + b"\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of it; `error` is empty when it was done."""

    note: str
    error: str = ""

    def encode(self) -> bytes:
        """Return the line to send, with as much of the note as it has room for."""
        document: dict[str, object] = {"ok": not self.error}
        if self.error:
            document["error"] = self.error
        note = self.note
        while len(line := json.dumps({**document, "note": note})) >= REPLY_MAX:
            note = note[: len(note) // 2]
        return line.encode("ascii") + b"\n"


class Refused(Exception):
    """A request that is not carried out; `error` as in the module's docstring."""

    def __init__(self, error: str, note: str) -> None:
        super().__init__(note)
        self.error = error
        self.note = note


def parse_request(line: bytes) -> Request:
    """Return the request that a line is. Raises Refused."""
    if len(line) > REQUEST_MAX or not line.endswith(b"\n"):
        raise Refused("malformed", f"a request is one line of at most {REQUEST_MAX} bytes")
    try:
        document = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        raise Refused("malformed", "a request is a JSON object in ASCII") from None
    if not isinstance(document, dict) or document.keys() != {"verb", "port"}:
        raise Refused("malformed", "a request has the keys verb and port, and no other")
    verb, port = document["verb"], document["port"]
    if not isinstance(verb, str) or verb not in _VERBS:
        raise Refused("no-such-verb", f"the verbs are {', '.join(sorted(_VERBS))}")
    try:
        UsbPort(port if isinstance(port, str) else "")
    except BadPort as error:
        raise Refused("bad-port", str(error)) from None
    return Request(_VERBS[verb], port)


def parse_reply(line: bytes) -> Reply:
    """Return the reply that a line is. Raises ValueError."""
    match json.loads(line):
        case {"ok": True, "note": str(note)}:
            return Reply(note)
        case {"note": str(note), "error": str(error)} if error:
            return Reply(note, error)
    raise ValueError("no reply of the helper's")
