"""A URL taken apart into what a request needs; its secrets stay inside. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urljoin, urlsplit

from capture_daemon.sources.base import SourceError
from capture_daemon.sources.http import trust
from capture_daemon.sources.http.auth import Credentials
from capture_daemon.sources.http.trust import Trust
from capture_daemon.sources.redact import public

_SAFE = "/%:=&?~+!$,;'@()*[]-._"
"""What may stand in a request's target as it is; the rest is encoded as UTF-8."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and what to ask for."""

    url: str = field(repr=False)
    host: str
    port: int
    tls: bool
    authority: str
    """The Host header."""
    path: str = field(repr=False)
    """Path and query, without what is meant for us."""
    credentials: Credentials | None = None
    """None if the URL has no user, and for any server but its own."""
    trust: Trust = trust.VERIFIED
    """For this host; any other is to be vouched for by the system's authorities."""
    strange: bool = False
    """Redirected to: another server than the URL's, which is not sent its password."""

    @classmethod
    def parse(cls, url: str) -> Target:
        """Take `url` apart.

        Raises SourceError: it is no http or https URL, or what it pins is no fingerprint.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            authority = parts.netloc.rpartition("@")[2].encode("idna").decode("ascii")
            query, trusted = trust.taken_from(parts.query)
        except ValueError:
            raise _no_url() from None  # its words quote the URL
        unprintable = any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in url)
        if parts.scheme not in ("http", "https") or not host or unprintable:
            raise _no_url()
        tls = parts.scheme == "https"
        path = quote(parts.path or "/", safe=_SAFE)
        if query:
            path += "?" + quote(query, safe=_SAFE)
        credentials = None
        if parts.username is not None:
            credentials = Credentials(unquote(parts.username), unquote(parts.password or ""))
        port = port or (443 if tls else 80)
        return cls(url, host, port, tls, authority, path, credentials, trusted)

    @property
    def shown(self) -> str:
        """The URL as viewers may see it: scheme, host and port."""
        return public(self.url)

    @property
    def where(self) -> str:
        """Host and port, which are no secret."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> tuple[bool, str, int]:
        """What a password belongs to (RFC 6454)."""
        return self.tls, self.host, self.port

    def request(self, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the whole GET request, with further headers if there are any."""
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.authority}",
            "User-Agent: framebus",
            "Accept: multipart/x-mixed-replace, image/jpeg, */*;q=0.1",
            "Accept-Encoding: identity",
            *(f"{name}: {value}" for name, value in (headers or {}).items() if value),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def redirected(self, location: str) -> Target:
        """Return the target that a redirect names; another server does not get our password.

        Raises SourceError: it names no http or https URL.
        """
        try:
            url = urljoin(self.url, location)
        except ValueError:
            raise _no_url() from None  # its words quote the URL
        there = Target.parse(url)
        trusted = self.trust if there.host == self.host else trust.VERIFIED
        if there.origin != self.origin:
            return replace(there, credentials=None, trust=trusted, strange=True)
        return replace(there, credentials=there.credentials or self.credentials, trust=trusted)

    def asking(self, field_: str) -> Target:
        """Return the same target with one more field in its query, "key=value"."""
        return replace(self, path=self.path + ("&" if "?" in self.path else "?") + field_)


def _no_url() -> SourceError:
    return SourceError(
        "bad-url",
        "the source, or what it redirects to, is no http or https URL",
        remedy="write http://HOST[:PORT]/PATH",
    )
