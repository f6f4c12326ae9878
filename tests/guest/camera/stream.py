"""A stream: pictures as UVC payloads, in the URBs that the host keeps pending.

UVC 1.1, section 2.4.3.2.1 (payload headers) and the frame based payloads. Time comes in as an
argument (monotonic nanoseconds). URBs are answered when there is something to say, never with
emptiness to keep the pace: the driver cannot tell, and an emulated CPU has better things to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tests.guest.camera.faults import Faults
from tests.guest.camera.negotiation import Agreed
from tests.guest.camera.pictures import Clip
from tests.guest.camera.usbip import Packet, Submit, reply, reply_packets

SLOW_START_NS = 3_000_000_000
_HEADER_LENGTH = 2
_FID, _EOF, _ERROR, _EOH = 0x01, 0x02, 0x40, 0x80
_EPROTO, _EPIPE, _EXDEV = 71, 32, 18


class Stream:
    """The endpoint's pending URBs and the picture under way."""

    def __init__(self, agreed: Agreed, clip: Path, faults: Faults) -> None:
        size = agreed.size
        self._clip = Clip(agreed.fourcc, size.width, size.height, clip, faults)
        self._agreed = agreed
        self._faults = faults
        self._pending: deque[tuple[Submit, Sequence[Packet]]] = deque()
        self._payloads: deque[bytes | int] = deque()
        self._due_ns: int | None = None
        self._fid = 0
        self.taken = 0
        """Pictures taken in this run; each has its number as its counter."""
        self.overrun = 0
        """Pictures taken but not sent, because the one before was still under way."""

    @property
    def due_ns(self) -> int | None:
        """When the next picture is due; None while the stream does not run."""
        return self._due_ns

    def submitted(self, request: Submit, packets: Sequence[Packet], now_ns: int) -> None:
        """Take an URB; the first one starts the run."""
        self._pending.append((request, packets))
        if self._due_ns is None:
            slow = self._faults.take("slow-start")
            self._due_ns = now_ns + (SLOW_START_NS if slow else self._agreed.interval * 100)

    def unlink(self, seqnum: int) -> bool:
        """Give an URB back; True if it was pending. The last one ends the run."""
        kept = deque(entry for entry in self._pending if entry[0].seqnum != seqnum)
        found = len(kept) != len(self._pending)
        self._pending = kept
        if found and not kept:
            self.stop()
        return found

    def stop(self) -> None:
        """End the run and drop the picture under way, or the next run begins with a stale one."""
        self._payloads.clear()
        self._due_ns = None
        self.taken = 0

    def pump(self, now_ns: int) -> list[bytes]:
        """Take the pictures that are due; return the replies that can go out now."""
        replies: list[bytes] = []
        for fault, errno in (("urb-protocol", _EPROTO), ("urb-stall", _EPIPE)):
            while self._pending and self._faults.take(fault):
                request, packets = self._pending.popleft()
                replies.append(
                    reply_packets(request, packets, [b""] * len(packets), status=-errno)
                    if packets
                    else reply(request, status=-errno)
                )
        if self._due_ns is not None and now_ns >= self._due_ns:
            self._take_picture(now_ns)
        while self._payloads and self._pending:
            request, packets = self._pending.popleft()
            replies.append(self._fill(request, packets))
        return replies

    def _fill(self, request: Submit, packets: Sequence[Packet]) -> bytes:
        """Put as much of the picture as fits into one URB."""
        if not packets:
            payload = self._payloads.popleft()
            assert isinstance(payload, bytes)
            return reply(request, payload)
        contents = [self._payloads.popleft() if self._payloads else b"" for _ in packets]
        return reply_packets(request, packets, contents)

    def _take_picture(self, now_ns: int) -> None:
        assert self._due_ns is not None
        interval = self._agreed.interval * 100 * (3 if self._faults.on("dark") else 1)
        # Far behind (a slow machine): go on from now, as a camera would that skipped pictures.
        late = now_ns - self._due_ns > 4 * interval
        self._due_ns = (now_ns if late else self._due_ns) + interval
        if self._faults.take("silent") or self._faults.on("wedged") or self._faults.on("mute-run"):
            return
        number, self.taken = self.taken, self.taken + 1
        if self._payloads:
            self.overrun += 1
            return
        self._payloads.extend(self._cut(self._clip.picture(number, now_ns)))

    def _cut(self, picture: bytes) -> list[bytes | int]:
        """Return a picture's payloads; a number stands for an isochronous packet that is lost."""
        faults = self._faults
        if faults.take("oversized"):
            picture = picture.ljust(self._agreed.picture_limit + 8192, b"\0")
        if faults.take("empty"):
            picture = b""
        flags = _EOH | self._fid | (_ERROR if faults.take("error-bit") else 0)
        self._fid ^= _FID
        room = self._agreed.payload - _HEADER_LENGTH
        header = bytes([_HEADER_LENGTH, flags])
        parts = [picture[at : at + room] for at in range(0, len(picture), room)] or [b""]
        payloads: list[bytes | int] = [header + part for part in parts]
        if not faults.take("no-eof"):
            payloads[-1] = bytes([_HEADER_LENGTH, flags | _EOF]) + parts[-1]
        if faults.take("lost-packet"):
            payloads[len(payloads) // 2] = -_EXDEV
        return payloads
