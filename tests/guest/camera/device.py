"""One emulated camera: the URBs of its connection in, the replies out.

Control requests go to the controls or the negotiation, the streaming endpoint's URBs to the
stream. Does no I/O: `bench.py` owns the connection.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from tests.guest.camera import descriptors
from tests.guest.camera.controls import NOT_READY, Controls, Refused
from tests.guest.camera.faults import Faults
from tests.guest.camera.model import Model
from tests.guest.camera.negotiation import COMMIT, PROBE, Negotiation
from tests.guest.camera.stream import Stream
from tests.guest.camera.usbip import Packet, Submit, Unlink, reply, reply_unlink

_EPIPE = 32
_GET_STATUS, _CLEAR_FEATURE, _SET_FEATURE, _GET_DESCRIPTOR = 0x00, 0x01, 0x03, 0x06
_GET_CONFIGURATION, _SET_CONFIGURATION, _GET_INTERFACE, _SET_INTERFACE = 0x08, 0x09, 0x0A, 0x0B


class _Unanswered(Exception):
    """The request gets no reply, until the host takes it back."""


class Camera:
    """The device behind one port."""

    def __init__(self, model: Model, clip: Path) -> None:
        self.model = model
        self.faults = Faults()
        self.controls = Controls(model)
        self.requests = 0
        """Class requests so far: what the host asked of the controls and the negotiation."""
        self.starts = 0
        """How often a stream format was committed."""
        self.configurations = 0
        """How often the host configured the device: plugging in, each reset, each authorisation."""
        self._negotiation = Negotiation(model)
        self._clip = clip
        self._stream: Stream | None = None
        self._parked: set[int] = set()

    @property
    def due_ns(self) -> int | None:
        """When `pump` is next wanted, monotonic nanoseconds; None: not until something comes in."""
        return self._stream.due_ns if self._stream else None

    def pump(self, now_ns: int) -> list[bytes]:
        """Return the replies that time brings."""
        return self._stream.pump(now_ns) if self._stream else []

    def handle(
        self, request: Submit | Unlink, data: bytes, packets: Sequence[Packet], now_ns: int
    ) -> list[bytes]:
        """Take one command of the host; return the replies that it causes at once."""
        if isinstance(request, Unlink):
            return [reply_unlink(request, found=self._unlink(request.victim))]
        if request.endpoint == descriptors.STREAM_ENDPOINT:
            if self._stream is None:
                return [reply(request, status=-_EPIPE)]
            self._stream.submitted(request, packets, now_ns)
            return self._stream.pump(now_ns)
        try:
            return [reply(request, self._control(request.setup, data)[: request.length])]
        except Refused as refused:
            self.controls.reason = refused.reason
            return [reply(request, status=-_EPIPE)]
        except _Unanswered:
            self._parked.add(request.seqnum)
            return []

    def _unlink(self, seqnum: int) -> bool:
        if seqnum in self._parked:
            self._parked.remove(seqnum)
            return True
        return self._stream is not None and self._stream.unlink(seqnum)

    def _control(self, setup: bytes, data: bytes) -> bytes:
        kind, code, value, index, _ = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == 0x20:
            return self._class_request(code, value >> 8, index >> 8, index & 0xFF, data)
        if code == _GET_DESCRIPTOR:
            return self._descriptor(value >> 8, value & 0xFF)
        if code == _GET_STATUS:
            return b"\0\0"
        if code == _GET_CONFIGURATION:
            return b"\1"
        if code == _GET_INTERFACE:
            return b"\0"
        if code == _SET_INTERFACE and index == descriptors.STREAMING_INTERFACE and self._stream:
            # Alternate setting 0 ends an isochronous stream; 1 is followed by its URBs.
            self._stream.stop()
        elif code == _CLEAR_FEATURE and kind & 0x1F == 2 and self._stream:
            # How the driver ends a bulk stream: it clears a halt that is none.
            self._stream.stop()
        elif code == _SET_CONFIGURATION:
            self.configurations += bool(value)
            self.faults.clear("wedged")
        elif code not in (_SET_INTERFACE, _CLEAR_FEATURE, _SET_FEATURE):
            raise Refused
        return b""

    def _descriptor(self, kind: int, index: int) -> bytes:
        if kind == 1:
            return descriptors.device()
        if kind == 2:
            return descriptors.configuration(self.model)
        found = descriptors.string(self.model, index) if kind == 3 else None
        if found is None:
            raise Refused
        return found

    def _class_request(
        self, code: int, selector: int, unit: int, interface: int, data: bytes
    ) -> bytes:
        self.requests += 1
        if interface == descriptors.STREAMING_INTERFACE:
            self._fail({PROBE: "probe", COMMIT: "commit"}.get(selector, "probe"))
            before = self._negotiation.committed
            answer = self._negotiation.request(selector, code, data)
            agreed = self._negotiation.committed
            if agreed is not None and agreed is not before:
                self.faults.take("mute-run")
                self._stream = Stream(agreed, self._clip, self.faults)
                self.starts += 1
            return answer
        if unit:
            self._fail("control")
        return self.controls.request(unit, selector, code, data)

    def _fail(self, what: str) -> None:
        if what == "control" and self.faults.take("control-not-ready"):
            raise Refused(NOT_READY)
        if self.faults.take(f"{what}-refused"):
            raise Refused
        if self.faults.take(f"{what}-unanswered"):
            raise _Unanswered
