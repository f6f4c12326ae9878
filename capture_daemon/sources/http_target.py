"""A URL taken apart into what a request needs; its secrets stay inside. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin, urlsplit

from capture_daemon.sources.base import SourceError
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
    """Path and query."""
    authorization: str = field(repr=False)
    """The Authorization header; empty if the URL has no user."""

    @classmethod
    def parse(cls, url: str) -> Target:
        """Take `url` apart. Raises SourceError: it is no http or https URL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            authority = parts.netloc.rpartition("@")[2].encode("idna").decode("ascii")
        except (ValueError, UnicodeError):
            raise _no_url() from None  # its words quote the URL
        unprintable = any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in url)
        if parts.scheme not in ("http", "https") or not host or unprintable:
            raise _no_url()
        tls = parts.scheme == "https"
        path = quote(parts.path or "/", safe=_SAFE)
        if parts.query:
            path += "?" + quote(parts.query, safe=_SAFE)
        authorization = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        return cls(url, host, port or (443 if tls else 80), tls, authority, path, authorization)

    @property
    def shown(self) -> str:
        """The URL as viewers may see it: scheme, host and port."""
        return public(self.url)

    def request(self) -> bytes:
        """Return the whole GET request."""
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.authority}",
            "User-Agent: framebus",
            "Accept: multipart/x-mixed-replace, */*;q=0.1",
            "Connection: close",
        ]
        if self.authorization:
            lines.append(f"Authorization: {self.authorization}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def redirected(self, location: str) -> Target:
        """Return the target that a redirect names; another server does not get our password.

        Raises SourceError: it names no http or https URL.
        """
        try:
            url = urljoin(self.url, location)
        except ValueError:
            raise _no_url() from None  # its words quote the URL
        there = Target.parse(url)
        if (there.tls, there.host, there.port) != (self.tls, self.host, self.port):
            return there
        return Target(
            there.url,
            there.host,
            there.port,
            there.tls,
            there.authority,
            there.path,
            there.authorization or self.authorization,
        )


def _no_url() -> SourceError:
    return SourceError(
        "bad-url",
        "the source, or what it redirects to, is no http or https URL",
        remedy="write http://HOST[:PORT]/PATH",
    )
