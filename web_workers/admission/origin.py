"""What counts as one address: who has one IPv6 address has the other 2**64 of its network too."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from framebus.serving.access import as_address

LOCAL = "unix"
"""All that come through a UNIX socket, or without an address."""


def origin(address: str | None) -> str:
    """Return the IPv4 address, the IPv6 network of 64 bits, or LOCAL."""
    parsed = as_address(address or "")
    if parsed is None:
        return LOCAL
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


@lru_cache(64)
def _origin_of(address: str | None) -> str:
    return origin(address)


def origin_of(client: object) -> str:
    """Return the origin of a socket's address: a tuple, or nothing of use on a UNIX socket."""
    return _origin_of(client[0] if isinstance(client, tuple) else None)
