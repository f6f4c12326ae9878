"""One GET: connect, ask, follow redirects, show the password to who asks for it, read the head.

A connection on which another request may come is kept for it. All of one `get` has one deadline,
whatever the server does: interim answers, redirects and trickling headers included.
"""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from capture_daemon.sources.base import Interrupt, SourceGone
from capture_daemon.sources.http import errors, trust
from capture_daemon.sources.http.auth import Authorizer
from capture_daemon.sources.http.connection import Connection, Interrupted
from capture_daemon.sources.http.response_parser import Head, ResponseParser, WireError
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
    connection: Connection
    parser: ResponseParser
    body: bytes
    """Its bytes that came with the head."""
    sent: bool
    """Credentials went with the request."""
    used: bool
    """The connection had been used before."""

    @property
    def head(self) -> Head:
        """The head, once there is one."""
        if self.parser.head is None:
            raise ValueError("there is no response yet")
        return self.parser.head


@dataclass(slots=True)
class HttpClient:
    """Asks one URL, again and again if need be. Used by one thread."""

    home: Target
    interrupt: Interrupt
    connect_s: float
    _authorizers: dict[tuple[bool, str, int], Authorizer] = field(default_factory=dict)
    _kept: tuple[tuple[bool, str, int], Connection] | None = None

    def get(
        self, conditions: Mapping[str, str] | None = None, *, head_s: float, patient: bool = False
    ) -> Response:
        """Send the request, and read up to the end of the final response's head.

        That may take `connect_s` and then `head_s` seconds in all. If `patient`, a server that has
        said nothing until then is no failure: `resume` takes up such a response later.

        Raises:
            SourceError: it cannot be reached, gives no HTTP, or redirects without end.
            SourceGone: interrupted.
        """
        deadline = time.monotonic() + self.connect_s + head_s
        response = self._round(self.home, conditions, deadline, head_s, patient)
        return self._follow(response, conditions, deadline, head_s, patient)

    def resume(self, response: Response, data: bytes, *, head_s: float) -> Response | None:
        """Take in what came of a response without a head; None while there still is none.

        Raises as `get`, and WireError.
        """
        response.body = response.parser.feed(data)
        if response.parser.head is None:
            return None
        deadline = time.monotonic() + self.connect_s + head_s
        return self._follow(response, None, deadline, head_s, False)

    def keep(self, response: Response) -> None:
        """Be done with a response: its connection is kept, if another request may follow on it."""
        self.close()
        if response.parser.reusable:
            self._kept = response.target.origin, response.connection
        else:
            response.connection.close()

    def close(self) -> None:
        """Close the connection that is kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()

    # -- inside ----------------------------------------------------------------------------

    def _follow(
        self,
        response: Response,
        conditions: Mapping[str, str] | None,
        deadline: float,
        head_s: float,
        patient: bool,
    ) -> Response:
        redirects = refusals = 0
        while (head := response.parser.head) is not None:
            target = response.target
            try:
                if head.status in _REDIRECTS and "location" in head.headers:
                    redirects += 1
                    if redirects > _MOST_REDIRECTS:
                        raise errors.too_many_redirects(self.home, _MOST_REDIRECTS)
                    target = target.redirected(head.headers["location"])
                elif not self._is_refusal(response) or refusals >= _MOST_REFUSALS:
                    break
                else:
                    refusals += 1
                self._drain(response, deadline)
            except BaseException:
                response.connection.close()
                raise
            response = self._round(target, conditions, deadline, head_s, patient)
        return response

    def _is_refusal(self, response: Response) -> bool:
        """Tell whether it is a refusal that the password, or another form of it, may end."""
        head = response.head
        authorizer = self._authorizer(response.target)
        if head.status not in (401, 403, 407):
            if response.sent:
                authorizer.accepted()
            return False
        return authorizer.refused(head.challenges, sent=response.sent)

    def _authorizer(self, target: Target) -> Authorizer:
        if target.credentials is None:
            return Authorizer(None, _nonce)
        known = self._authorizers.get(target.origin)
        if known is None or known.credentials != target.credentials:
            known = Authorizer(target.credentials, _nonce)
            self._authorizers[target.origin] = known
        return known

    def _round(
        self,
        target: Target,
        conditions: Mapping[str, str] | None,
        deadline: float,
        head_s: float,
        patient: bool,
    ) -> Response:
        """Ask once; anew if a connection that was kept turns out to be closed."""
        try:
            connection, used = self._connected(target, deadline)
            while True:
                response = self._sent(target, connection, conditions, deadline, used)
                until = min(deadline, time.monotonic() + head_s)
                try:
                    self._receive_head(response, until)
                except TimeoutError:
                    if not patient or response.parser.begun:
                        connection.close()
                        raise
                except (OSError, WireError):
                    connection.close()
                    if not used or response.parser.begun:
                        raise
                    connection, used = self._connected(target, deadline)
                    continue
                except BaseException:
                    connection.close()
                    raise
                return response
        except Interrupted as error:
            raise SourceGone("interrupted", "opening was interrupted") from error
        except ssl.SSLCertVerificationError as error:
            raise errors.bad_certificate(
                target, error, self._fingerprint(target, deadline)
            ) from error
        except (OSError, WireError) as error:
            raise errors.unreachable(target, error) from error

    def _connected(self, target: Target, deadline: float) -> tuple[Connection, bool]:
        kept, self._kept = self._kept, None
        if kept is not None and kept[0] == target.origin:
            return kept[1], True
        if kept is not None:
            kept[1].close()
        connection = Connection(self.interrupt)
        until = min(deadline, time.monotonic() + self.connect_s)
        trusted = target.trust if target.tls else None
        try:
            connection.connect(target.host, target.port, tls=trusted, deadline=until)
        except BaseException:
            connection.close()
            raise
        return connection, False

    def _sent(
        self,
        target: Target,
        connection: Connection,
        conditions: Mapping[str, str] | None,
        deadline: float,
        used: bool,
    ) -> Response:
        authorization = self._authorizer(target).header("GET", target.path)
        headers = {**(conditions or {}), "Authorization": authorization}
        response = Response(target, connection, ResponseParser(), b"", bool(authorization), used)
        try:
            connection.send(target.request(headers), deadline=deadline)
        except OSError:
            if not used:
                connection.close()
                raise  # else reading will tell that it is closed
        except BaseException:
            connection.close()
            raise
        return response

    @staticmethod
    def _receive_head(response: Response, deadline: float) -> None:
        while response.parser.head is None:
            data = response.connection.receive(deadline=deadline)
            if not data:
                raise ConnectionError("the server closed the connection without an answer")
            response.body = response.parser.feed(data)
            if time.monotonic() > deadline:  # it never stops sending, nor comes to an end
                raise TimeoutError

    def _drain(self, response: Response, deadline: float) -> None:
        """Read the rest of a body that nobody wants, if that is little, for its connection."""
        left = response.parser.left
        try:
            while not response.parser.ended and (left or 0) <= _LARGEST_DRAINED:
                if left is None or not response.head.keeps_alive:
                    break
                data = response.connection.receive(deadline=min(deadline, time.monotonic() + 1.0))
                if not data:
                    break
                response.parser.feed(data)
        except (OSError, WireError):
            response.connection.close()
            return
        except Interrupted as error:
            raise SourceGone("interrupted", "opening was interrupted") from error
        self.keep(response)

    def _fingerprint(self, target: Target, deadline: float) -> str:
        """Return the SHA-256 of a certificate that was not trusted; empty if it cannot be had."""
        connection = Connection(self.interrupt)
        try:
            until = max(deadline, time.monotonic() + self.connect_s)
            connection.connect(target.host, target.port, tls=trust.ANY, deadline=until)
            return connection.fingerprint
        except (OSError, Interrupted):
            return ""
        finally:
            connection.close()


def _nonce() -> str:
    return secrets.token_hex(8)
