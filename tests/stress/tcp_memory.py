"""What TCP holds in memory for each end of the connections of one server, of sock_diag(7).

Both ends are on this machine, and /proc/net/sockstat adds them up: what a client does not read lies
for the most part in its own receive buffer, which on another machine would be no matter of the
server's. Takes no right, and sees the sockets of this network namespace.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Set
from typing import NamedTuple

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h and, for MEMORY, SK_MEMINFO_… there
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_INET_DIAG_SKMEMINFO = 7
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI48x")  # inet_diag_req_v2
_ENDS = struct.Struct(">HH")  # their ports
_ENDS_AT = 4
_MESSAGE_BYTES = 72  # inet_diag_msg, after which attributes come
_ATTRIBUTE = struct.Struct("=HH")
_MEMORY = struct.Struct("=8I")
_COUNTED = (0, 4, 5, 6, 7)  # received, charged ahead, to be sent or acknowledged, options, backlog
_ALL_STATES = 0xFFFFFFFF


class Held(NamedTuple):
    """Bytes of buffers, with what the kernel takes to manage them."""

    server: int
    clients: int


def held(port: int, clients: Set[int]) -> Held:
    """Return what both ends hold of the connections of `clients`, their ports, to the server on
    `port`. Raises OSError where the kernel does not tell (CONFIG_INET_DIAG)."""
    server = own = 0
    for local, remote, size in _sockets():
        if local == port and remote in clients:
            server += size
        elif remote == port and local in clients:
            own += size
    return Held(server, own)


def _sockets() -> Iterator[tuple[int, int, int]]:
    """Yield the port, the other end's and the bytes held of each TCP socket of IPv4."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as link:
        what = _REQUEST.pack(
            socket.AF_INET, socket.IPPROTO_TCP, 1 << _INET_DIAG_SKMEMINFO - 1, 0, _ALL_STATES
        )
        size = _HEADER.size + len(what)
        link.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0) + what)
        while True:
            data = link.recv(1 << 16)
            at = 0
            while at < len(data):
                size, kind, *_ = _HEADER.unpack_from(data, at)
                body = data[at + _HEADER.size : at + size]
                at += -(-size // 4) * 4
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    (error,) = struct.unpack_from("=i", body)
                    raise OSError(-error, os.strerror(-error))
                yield (*_ENDS.unpack_from(body, _ENDS_AT), _bytes_held(body))


def _bytes_held(body: bytes) -> int:
    at = _MESSAGE_BYTES
    while at < len(body):
        size, kind = _ATTRIBUTE.unpack_from(body, at)
        if kind == _INET_DIAG_SKMEMINFO:
            sizes: tuple[int, ...] = _MEMORY.unpack_from(body, at + _ATTRIBUTE.size)
            return sum(sizes[which] for which in _COUNTED)
        at += -(-size // 4) * 4
    return 0  # a socket in TIME_WAIT, which has no buffers
