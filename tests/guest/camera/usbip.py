"""The USB/IP wire as vhci_hcd speaks it: Documentation/usb/usbip_protocol.rst. Pure.

Every header is 48 bytes, big-endian. Knows nothing of cameras.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

HEADER_SIZE = 48
"""Bytes."""
_CMD_SUBMIT, _CMD_UNLINK, _RET_SUBMIT, _RET_UNLINK = 1, 2, 3, 4
_SUBMIT = struct.Struct(">IIIIIIiiii8s")
_UNLINK = struct.Struct(">IIIIII24x")
_RET = struct.Struct(">IIIIIiiiii8x")
_PACKET = struct.Struct(">IIIi")
ECONNRESET = 104
"""What an unlinked URB ends with, negated."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One isochronous packet's place in its URB: bytes from the start, and at most so many."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Submit:
    """An URB that the host submitted."""

    seqnum: int
    inward: bool
    """True for device to host."""
    endpoint: int
    length: int
    """Bytes wanted, or sent."""
    setup: bytes
    packets: int
    """Isochronous packets; 0 for every other kind of URB."""

    @property
    def trailing(self) -> int:
        """Bytes that follow the header: data sent out, and the packet descriptors."""
        return (0 if self.inward else self.length) + self.packets * _PACKET.size


@dataclass(frozen=True, slots=True)
class Unlink:
    """The host wants the URB `victim` back."""

    seqnum: int
    victim: int


def parse(header: bytes) -> Submit | Unlink:
    """Return the command of a header; raises ValueError for one that a host does not send."""
    command = int.from_bytes(header[:4], "big")
    if command == _CMD_UNLINK:
        _, seqnum, _, _, _, victim = _UNLINK.unpack(header)
        return Unlink(seqnum, victim)
    if command != _CMD_SUBMIT:
        raise ValueError(f"no USB/IP command: {command}")
    _, seqnum, _, direction, endpoint, _, length, _, packets, _, setup = _SUBMIT.unpack(header)
    # The host writes -1 (older ones 0) for an URB that is not isochronous.
    return Submit(seqnum, bool(direction), endpoint, length, setup, max(0, packets))


def parse_packets(data: bytes) -> list[Packet]:
    """Return the packets that follow an isochronous URB's header."""
    return [Packet(offset, length) for offset, length, _, _ in _PACKET.iter_unpack(data)]


def reply(request: Submit, data: bytes = b"", *, status: int = 0) -> bytes:
    """Return the reply to a control or bulk URB; `status` is 0 or a negated errno."""
    sent = len(data) if request.inward else (0 if status else request.length)
    header = _RET.pack(_RET_SUBMIT, request.seqnum, 0, 0, 0, status, sent, 0, 0, 0)
    return header + data


def reply_packets(
    request: Submit,
    packets: Sequence[Packet],
    contents: Sequence[bytes | int],
    *,
    status: int = 0,
) -> bytes:
    """Return the reply to an isochronous URB: for each packet its bytes, or a negated errno.

    `status` is that of the whole URB: 0 or a negated errno.
    """
    data = b"".join(content for content in contents if isinstance(content, bytes))
    errors = sum(isinstance(content, int) for content in contents)
    table = b"".join(
        _PACKET.pack(packet.offset, packet.length, 0, content)
        if isinstance(content, int)
        else _PACKET.pack(packet.offset, packet.length, len(content), 0)
        for packet, content in zip(packets, contents, strict=True)
    )
    header = _RET.pack(
        _RET_SUBMIT, request.seqnum, 0, 0, 0, status, len(data), 0, len(packets), errors
    )
    return header + data + table


def reply_unlink(request: Unlink, *, found: bool) -> bytes:
    """Return the reply to an unlink; an URB that was not found has been answered already."""
    status = -ECONNRESET if found else 0
    return _RET.pack(_RET_UNLINK, request.seqnum, 0, 0, 0, status, 0, 0, 0, 0)
