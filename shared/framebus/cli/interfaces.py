"""This machine's own addresses, as another one in its network would type them. Sends nothing.

What only containers and virtual machines of this machine see is left out.
"""

from __future__ import annotations

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_SIOCGIFFLAGS, _SIOCGIFADDR = 0x8913, 0x8915  # linux/sockios.h
_IFREQ = struct.Struct("16s24x")  # struct ifreq, linux/if.h
_UP, _LOOPBACK, _RUNNING = 0x1, 0x8, 0x40  # linux/if.h
_INNER = re.compile(
    r"(docker|br-|veth|virbr|vnet|cni|flannel|cali|podman|lxcbr|lxdbr|vmnet|vboxnet)"
)
_IF_INET6 = Path("/proc/net/if_inet6")
_GLOBAL = "00"
_PASSING = 0x01 | 0x20 | 0x40  # temporary, deprecated, tentative: linux/if_addr.h
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # RFC 5737, RFC 3849


def own_addresses(*, ipv4: bool, ipv6: bool) -> list[str]:
    """Return this machine's addresses, the one towards everything else first; none is loopback."""
    found = _ipv4() if ipv4 else []
    if ipv6:
        with suppress(OSError):
            found += ipv6_of(_IF_INET6.read_text().splitlines())
    first = [
        address
        for family, wanted in ((socket.AF_INET, ipv4), (socket.AF_INET6, ipv6))
        if wanted and (address := _towards_others(family)) in found
    ]
    return list(dict.fromkeys((*first, *found)))


def inner(interface: str) -> bool:
    """Whether an interface is a bridge or end of containers and virtual machines, by its name."""
    return _INNER.match(interface) is not None


def ipv6_of(lines: Iterable[str]) -> list[str]:
    """Return the lasting global addresses in the lines of /proc/net/if_inet6."""
    found = []
    for line in lines:
        number, _, _, scope, flags, interface = line.split()
        if scope == _GLOBAL and not int(flags, 16) & _PASSING and not inner(interface):
            found.append(str(ipaddress.IPv6Address(int(number, 16))))
    return found


def _ipv4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            if inner(name):
                continue
            request = _IFREQ.pack(name.encode())
            try:
                flags = fcntl.ioctl(asking, _SIOCGIFFLAGS, request)
                (mask,) = struct.unpack_from("H", flags, 16)
                if mask & _LOOPBACK or not mask & _UP or not mask & _RUNNING:
                    continue
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, request)
            except OSError:  # it has no IPv4 address, or has gone
                continue
            found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _towards_others(family: socket.AddressFamily) -> str:
    """Return our address towards the rest of the world, by the routing table; "" for none.

    Connecting a datagram socket sends nothing.
    """
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.connect((_ELSEWHERE[family], 9))
            return str(trial.getsockname()[0])
    except OSError:
        return ""
