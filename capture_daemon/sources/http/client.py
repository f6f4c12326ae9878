"""One GET: connect, ask, follow redirects, show the password to who asks for it, read the head.

A connection on which another request may come is kept for it. All of one `get` has one deadline,
whatever the server does: interim answers, redirects and trickling headers included.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from capture_daemon.sources.base import Interrupt
from capture_daemon.sources.http import errors, trust
from capture_daemon.sources.http.auth import Authorizer
from capture_daemon.sources.http.connection import Connection, Interrupted
from capture_daemon.sources.http.response_parser import Head, ResponseParser
from capture_daemon.sources.http.target import Target

_MOST_REDIRECTS = 5
_MOST_REFUSALS = 3
_LARGEST_DRAINED = 64 << 10
"""Bytes of a response's body that are read only so that its connection can be used again."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Response:
    """What came of a request; the body goes on to come through `parser`."""

    target: Target
    parser: ResponseParser
    sent: bool
    """Credentials went with the request."""
    body: bytes = b""
    """Its bytes that came with the head."""

    @property
    def head(self) -> Head:
        """The head, once there is one."""
        if self.parser.head is None:
            raise ValueError("there is no response yet")
        return self.parser.head

    def feed(self, data: bytes | memoryview) -> None:
        """Take in what came before the head was there. Raises ConnectionError."""
        if not data:
            raise ConnectionError("the server closed the connection without an answer")
        self.body = bytes(self.parser.feed(data))


class _Request(NamedTuple):
    """How one `get` asks, whomever it is redirected to."""

    conditions: Mapping[str, str]
    deadline: float
    head_s: float
    patient: bool


class HttpClient:
    """Asks one URL, again and again if need be. Used by one thread.

    Whatever is raised, the connection is left to the next request, which makes another, or `close`.
    """

    def __init__(self, home: Target, interrupt: Interrupt, connect_s: float) -> None:
        self.home = home
        self.connect_s = connect_s
        self.connection = Connection(interrupt)
        """That of the newest response."""
        self._kept: tuple[bool, str, int] | None = None
        """Whose the connection is while another request may follow on it."""
        self._authorizer = Authorizer(None)

    def get(
        self, conditions: Mapping[str, str] | None = None, *, head_s: float, patient: bool = False
    ) -> Response:
        """Send the request, and read up to the end of the final response's head.

        That may take `connect_s` and then `head_s` seconds in all. If `patient`, a server that has
        said nothing until then is no failure: `resume` takes up such a response later.

        Raises:
            SourceError: it cannot be reached, gives no HTTP, or redirects without end.
            Interrupted: as the connection.
        """
        deadline = time.monotonic() + self.connect_s + head_s
        request = _Request(conditions or {}, deadline, head_s, patient)
        return self._follow(self._round(self.home, request), request)

    def resume(
        self, response: Response, data: bytes | memoryview, *, head_s: float
    ) -> Response | None:
        """Take in what came of a response without a head; None while there still is none.

        Raises as `get`, and ConnectionError.
        """
        response.feed(data)
        if response.parser.head is None:
            return None
        deadline = time.monotonic() + self.connect_s + head_s
        return self._follow(response, _Request({}, deadline, head_s, patient=False))

    def keep(self, response: Response) -> None:
        """Be done with a response: its connection is kept, if another request may follow on it."""
        if response.parser.reusable:
            self._kept = response.target.origin
        else:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self._kept = None
        self.connection.close()

    # -- inside ----------------------------------------------------------------------------

    def _follow(self, response: Response, request: _Request) -> Response:
        redirects = refusals = 0
        while (head := response.parser.head) is not None:
            target = response.target
            if head.status in _REDIRECTS and "location" in head.headers:
                redirects += 1
                if redirects > _MOST_REDIRECTS:
                    raise errors.too_many_redirects(self.home, _MOST_REDIRECTS)
                target = target.redirected(head.headers["location"])
            elif not self._is_refusal(response) or refusals >= _MOST_REFUSALS:
                break
            else:
                refusals += 1
            self._drain(response, request.deadline)
            response = self._round(target, request)
        return response

    def _is_refusal(self, response: Response) -> bool:
        """Tell whether it is a refusal that the password, or another form of it, may end."""
        head = response.head
        authorizer = self._authorizer_for(response.target)
        if head.status not in (401, 403, 407):
            if response.sent:
                authorizer.accepted()
            return False
        return authorizer.refused(head.challenges, sent=response.sent)

    def _authorizer_for(self, target: Target) -> Authorizer:
        if target.credentials is None:
            return Authorizer(None)
        if self._authorizer.credentials != target.credentials:
            self._authorizer = Authorizer(target.credentials)
        return self._authorizer

    def _round(self, target: Target, request: _Request) -> Response:
        """Ask once; anew if a connection that was kept turns out to be closed."""
        try:
            while True:
                used = self._connect(target, request.deadline)
                response = self._send(target, request, used=used)
                try:
                    self._receive_head(response, request)
                except TimeoutError:
                    if not request.patient or response.parser.begun:
                        raise
                except OSError:
                    if not used or response.parser.begun:
                        raise
                    continue
                return response
        except ssl.SSLCertVerificationError as error:
            fingerprint = self._fingerprint(target, request.deadline)
            raise errors.bad_certificate(target, error, fingerprint) from error
        except OSError as error:
            raise errors.unreachable(target, error) from error

    def _connect(self, target: Target, deadline: float) -> bool:
        """Go on with the connection that is kept, if it is the target's, or make another.

        Returns whether it had been used before.
        """
        kept, self._kept = self._kept, None
        if kept == target.origin:
            return True
        trusted = target.trust if target.tls else None
        until = min(deadline, time.monotonic() + self.connect_s)
        self.connection.connect(target.host, target.port, tls=trusted, deadline=until)
        return False

    def _send(self, target: Target, request: _Request, *, used: bool) -> Response:
        authorization = self._authorizer_for(target).header(target.path)
        headers = {**request.conditions, "Authorization": authorization}
        try:
            self.connection.send(target.request(headers), deadline=request.deadline)
        except OSError:
            if not used:
                raise  # else reading will tell that it is closed
        return Response(target, ResponseParser(), sent=bool(authorization))

    def _receive_head(self, response: Response, request: _Request) -> None:
        deadline = min(request.deadline, time.monotonic() + request.head_s)
        while response.parser.head is None:
            response.feed(self.connection.receive(deadline=deadline))
            if time.monotonic() > deadline:  # it never stops sending, nor comes to an end
                raise TimeoutError

    def _drain(self, response: Response, deadline: float) -> None:
        """Read the rest of a body that nobody wants, if that is little, for its connection."""
        parser = response.parser
        little = parser.left is not None and parser.left <= _LARGEST_DRAINED
        if little and response.head.keeps_alive:
            with suppress(OSError):
                while not parser.ended:
                    until = min(deadline, time.monotonic() + 1.0)
                    if not (data := self.connection.receive(deadline=until)):
                        break
                    parser.feed(data)
        self.keep(response)

    def _fingerprint(self, target: Target, deadline: float) -> str:
        """Return the SHA-256 of a certificate that was not trusted; empty if it cannot be had."""
        until = max(deadline, time.monotonic() + self.connect_s)
        try:
            self.connection.connect(target.host, target.port, tls=trust.ANY, deadline=until)
        except (OSError, Interrupted):
            return ""
        return self.connection.fingerprint
