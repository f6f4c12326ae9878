"""From whom a request comes and to which name it was made, as far as that can be believed. Pure.

Any client can send X-Forwarded-... headers, so they count from declared proxies only. Where that is
an address of this machine, a browser here speaks from it as well, with a page's own X-Forwarded-...
headers: but not with a Host of ours, unless the page is ours. So both names have to be.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from framebus.options.kinds import UNIX_PROXY
from framebus.serving.access import as_address

_HOST_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/\\@?#\s]+)(?::(\d{1,5}))?", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+){1,8}")
_PREFIX_MAX = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """One request's two ends."""

    address: str
    """Of the client, as far as the proxies tell it; empty on a Unix socket."""
    scheme: str
    """What the client speaks: http or https."""
    host: str | None
    """The name that the client asked for, in small letters and without its port.

    None where it sent none, which no browser does; empty for one that is no name.
    """
    port: int
    """The port that goes with it."""
    named: str | None = None
    """The name in Host, whatever a proxy says that the client asked for; as `host`."""

    def is_origin(self, origin: str) -> bool:
        """Whether an Origin header names this very server."""
        try:
            parts = urlsplit(origin)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return False
        host = (parts.hostname or "").strip("[]").removesuffix(".")
        return bool(host) and (parts.scheme, host, port) == (self.scheme, self.host, self.port)


class Proxies:
    """The declared proxies."""

    def __init__(self, declared: tuple[str, ...]) -> None:
        """Take addresses, networks, or `unix`, as framebus.options.kinds has checked them."""
        self._unix = UNIX_PROXY in declared
        self._networks = tuple(
            ipaddress.ip_network(each) for each in declared if each != UNIX_PROXY
        )

    def trusted(self, address: str) -> bool:
        """Whether what this address says of others is believed."""
        if not address:
            return self._unix
        ip = as_address(address) if self._networks else None
        if ip is None:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._networks)

    def peer(self, environ: Mapping[str, Any]) -> Peer:
        """Return who sent the request of a WSGI environment."""
        address = str(environ.get("REMOTE_ADDR", ""))
        scheme = str(environ.get("wsgi.url_scheme", "http"))
        asked = own = environ.get("HTTP_HOST")
        if self.trusted(address):
            asked = environ.get("HTTP_X_FORWARDED_HOST") or asked
            told = str(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
            scheme = told if told in _PORTS else scheme
            # From the right: what stands further left, the client may have sent itself.
            for each in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
                if as_address(each.strip()) is None:
                    break
                address = each.strip()
                if not self.trusted(address):
                    break
        host, port = _split(asked, scheme)
        named = host if asked is own else _split(own, scheme)[0]
        return Peer(address, scheme, host, port, named)

    def prefix(self, environ: Mapping[str, Any]) -> str:
        """Return what a proxy says that our paths stand below, as in `/webcam`; empty without one.

        What is no plain path is left out: an answer whose addresses are relative needs none.
        """
        told = str(environ.get("HTTP_X_FORWARDED_PREFIX", "")).removesuffix("/")
        if not told or not self.trusted(str(environ.get("REMOTE_ADDR", ""))):
            return ""
        return told if len(told) <= _PREFIX_MAX and _PREFIX.fullmatch(told) else ""


def _split(asked: object, scheme: str) -> tuple[str | None, int]:
    if not asked:
        return None, _PORTS[scheme]
    match = _HOST_AND_PORT.fullmatch(str(asked))
    if match is None:
        return "", 0
    name = match[1].lower().strip("[]").removesuffix(".")
    return name, int(match[2] or _PORTS[scheme])


def is_for(peer: Peer, names: frozenset[str]) -> bool:
    """Whether a request is meant for us, by all names that it was made to."""
    return answers_to(peer.host, names) and (
        peer.named == peer.host or answers_to(peer.named, names)
    )


def answers_to(host: str | None, names: frozenset[str]) -> bool:
    """Whether a request for this host is meant for us.

    A page elsewhere can give its own name our address (DNS rebinding), and its scripts then count
    as ours for the browser. It cannot do so without a name: addresses are let through.
    """
    return host is None or host in names or as_address(host) is not None
