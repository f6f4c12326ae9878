"""The `http` source: another server's multipart/x-mixed-replace stream.

mjpg-streamer, ustreamer, an IP camera or another framebus. Parts are passed on as they come. The
URL's name and password are sent as Basic authorisation and to its own server only; neither is ever
shown. What a server that wants more than that offers, ffmpeg may read: `ffmpeg:URL`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    SourceError,
    SourceGone,
)
from capture_daemon.sources.connection import Connection, Interrupted
from capture_daemon.sources.http_errors import refused, unreachable
from capture_daemon.sources.http_target import Target
from capture_daemon.sources.http_wire import ResponseParser, WireError
from capture_daemon.sources.multipart import MultipartError, MultipartParser, Part, boundary_of

CONNECT_S = 5.0
"""To connect, TLS included, and again to answer."""
_MOST_REDIRECTS = 5
_JITTER_S = 1.5  # a lost TCP segment and its retransmissions, a busy server
_MOST_LOST = 1 << 32
_OLDEST_S = 2.0
"""A timestamp of the server's that is older, or not past, is of another clock than ours."""


@dataclass(slots=True)
class _Stream:
    """What exists between open and close."""

    connection: Connection
    response: ResponseParser
    parts: MultipartParser
    ready: deque[Part] = field(default_factory=deque)
    sequence: int = 0
    server_sequence: int | None = None
    captured_ns: int = 0

    def take(self, body: bytes) -> None:
        """Add bytes of the body. Raises MultipartError."""
        self.ready.extend(part for part in self.parts.feed(body) if _is_picture(part.headers))


class HttpSource:
    """Reads one URL."""

    def __init__(self, url: str, interrupt: Interrupt, *, connect_s: float = CONNECT_S) -> None:
        self._url = url
        self._interrupt = interrupt
        self._connect_s = connect_s
        self._stream: _Stream | None = None

    def open(self) -> Granted:
        """Connect, follow redirects, and read the answer up to the first part.

        Raises:
            SourceUnusable: it wants another authorisation, or its certificate is not trusted.
            SourceError: it cannot be reached, or what it serves is no multipart stream.
            SourceGone: interrupted.
        """
        self.close()
        target = Target.parse(self._url)
        for _ in range(_MOST_REDIRECTS + 1):
            connection = Connection(self._interrupt)
            try:
                outcome = self._request(connection, target)
            except BaseException:
                connection.close()
                raise
            if isinstance(outcome, _Stream):
                self._stream = outcome
                return Granted("MJPG", 0, 0, 0.0, device=target.shown, jitter_s=_JITTER_S)
            connection.close()
            target = outcome
        raise SourceError(
            "too-many-redirects",
            f"{target.shown} redirects more than {_MOST_REDIRECTS} times",
            remedy="open it in a browser and use the address it ends at",
        )

    def read(self, timeout_s: float) -> Captured | None:
        """Wait for the next part. Raises SourceGone: the stream ended or cannot be followed."""
        stream = self._stream
        if stream is None:
            raise SourceGone("not-open", "the stream is not open", remedy="open it first")
        deadline = time.monotonic() + timeout_s
        try:
            while not stream.ready:
                self._receive(stream, deadline)
        except (TimeoutError, Interrupted):
            return None
        except (OSError, WireError, MultipartError) as error:
            raise SourceGone("stream-broken", f"the stream broke off: {error}") from error
        return _captured(stream, stream.ready.popleft())

    def close(self) -> None:
        """Close the connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.connection.close()

    def _receive(self, stream: _Stream, deadline: float) -> None:
        if stream.response.ended or stream.parts.ended:
            raise ConnectionError("the server ended it")
        data = stream.connection.receive(deadline=deadline)
        if not data:
            raise ConnectionError("the server closed the connection")
        stream.take(stream.response.feed(data))

    def _request(self, connection: Connection, target: Target) -> _Stream | Target:
        """Send the request; return the stream, or where the server redirects to."""
        response = ResponseParser()
        try:
            deadline = time.monotonic() + self._connect_s
            connection.connect(target.host, target.port, tls=target.tls, deadline=deadline)
            deadline = time.monotonic() + self._connect_s
            connection.send(target.request(), deadline=deadline)
            body = b""
            while response.head is None:
                data = connection.receive(deadline=deadline)
                if not data:
                    raise ConnectionError("the server closed the connection without an answer")
                body = response.feed(data)
        except Interrupted as error:
            raise SourceGone("interrupted", "opening was interrupted") from error
        except (OSError, WireError) as error:
            raise unreachable(target, error) from error
        head = response.head
        if head.status in (301, 302, 303, 307, 308) and "location" in head.headers:
            return target.redirected(head.headers["location"])
        if head.status != 200:
            raise refused(target, head)
        try:
            parts = MultipartParser(boundary_of(head.headers.get("content-type", "")))
            stream = _Stream(connection, response, parts)
            stream.take(body)
        except MultipartError as error:
            raise SourceError(
                "not-multipart",
                f"{target.shown} is no MJPEG stream: {error}",
                remedy="use the stream's own address (often /stream, /?action=stream, /video); "
                "ffmpeg:URL reads other kinds",
            ) from error
        return stream


def _is_picture(headers: Mapping[str, str]) -> bool:
    """Return False for what framebus or ustreamer shows while its own camera is away.

    To pass that on as a picture would make an absent camera look like a live one.
    """
    return "x-placeholder" not in headers and headers.get("x-ustreamer-online") != "false"


def _captured(stream: _Stream, part: Part) -> Captured:
    now_ns = time.monotonic_ns()
    stream.captured_ns = max(
        stream.captured_ns, capture_time_ns(part.headers, now_ns, time.time_ns())
    )
    said = part.headers.get("x-sequence", "")
    server_sequence = int(said[:18]) if said.isascii() and said.isdigit() else None
    stream.sequence += _advance(stream.server_sequence, server_sequence)
    stream.server_sequence = server_sequence
    return Captured(part.body, stream.captured_ns, stream.sequence)


def _advance(before: int | None, now: int | None) -> int:
    """Return how far the server's own count went on; 1 where it has none or began anew.

    What no stream can have lost is no count: added up, it would not fit into the ring's 64 bits.
    """
    if before is None or now is None or not before < now <= before + _MOST_LOST:
        return 1
    return now - before


def capture_time_ns(headers: Mapping[str, str], now_ns: int, now_utc_ns: int) -> int:
    """Return when a part was captured, CLOCK_MONOTONIC nanoseconds.

    X-Timestamp is seconds, UTC, with some servers, and of a clock of their own with others (time
    since boot, or wrong altogether). It is believed if it lies within the last 2 s; else the part
    was captured when it arrived.
    """
    try:
        age_s = now_utc_ns / 1e9 - float(headers.get("x-timestamp", "nan"))
    except ValueError:
        return now_ns
    return now_ns - int(age_s * 1e9) if 0 <= age_s <= _OLDEST_S else now_ns
