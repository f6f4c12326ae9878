"""The `v4l2` source: a session's buffers as the pictures that the daemon asks for.

MJPEG is passed on byte for byte; YUYV is encoded here. `open`, `read`, `restart_stream` and `close`
are for the capture thread; `formats`, `controls` and `set_controls` may be called by another thread
meanwhile. Whether a picture is a whole JPEG is not judged here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from framebus.contract.words import Rejection
from framebus.frame import FrameFlags

from capture_daemon.devices.sysfs import UsbPort
from capture_daemon.native.library import FastPath
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    LastFrame,
    Request,
    SourceError,
    SourceGone,
)
from capture_daemon.v4l2 import controls, discovery, query
from capture_daemon.v4l2.encode import Encoder, load
from capture_daemon.v4l2.formats import COMPRESSED, ENCODABLE, Choice, OfferedFormat
from capture_daemon.v4l2.negotiation import FormatNegotiation, candidates
from capture_daemon.v4l2.ops import DeviceOps, KernelOps
from capture_daemon.v4l2.port_of_name import port_of_name
from capture_daemon.v4l2.session import Dequeued, Session
from capture_daemon.v4l2.stable_name import StableName


class V4L2Source:
    """A camera: a node, a /dev/v4l/by-id or by-path name, or usb:VID:PID[:SERIAL].

    The name is looked up at each `open`, so that a camera that came back under another number is
    found.
    """

    def __init__(
        self,
        device: str,
        request: Request,
        interrupt: Interrupt,
        *,
        ops: DeviceOps | None = None,
        resolve: Callable[[str], str] = discovery.resolve,
        named: bool = True,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take what to open; `named` tells that a person chose this device; `auto` finds others."""
        self._device = device
        self._named = named
        self._name = StableName(device, resolve=resolve)
        self._request = request
        self._interrupt = interrupt
        self._ops = KernelOps() if ops is None else ops
        self._now_ns = now_ns
        self._session: Session | None = None
        self._encoder: Encoder | None = None
        self._negotiation = FormatNegotiation()
        self.unwanted: Callable[[int], bool] = lambda _: False

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._device

    @property
    def node(self) -> str:
        """The device node that the name means now. Raises SourceError when there is none."""
        return self._name.node()

    @property
    def rdev(self) -> int:
        """The device number of that node, as for names.device_lock. Raises SourceError."""
        return discovery.rdev(self.node)

    @property
    def port(self) -> UsbPort | None:
        """The USB port of the camera that a person named, also while it has no node.

        None where the name does not tell, and for a camera that nobody named.
        """
        return port_of_name(self._device) if self._named else None

    def fileno(self) -> int:
        """The streaming descriptor, for a keeper to copy; -1 when not open."""
        session = self._session
        return -1 if session is None else session.handle.fileno()

    def open(self) -> Granted:
        """Open the camera and stream, or leave nothing behind. Raises SourceError.

        What was open before is closed first: it would be our own EBUSY.
        """
        self.close()
        node = self.node
        try:
            session = Session.open(
                self._ops,
                node,
                self._choices,
                interrupt=self._interrupt,
                goes_on_after=self._negotiation.goes_on_after,
                now_ns=self._now_ns,
            )
        except SourceError as error:
            self._negotiation.failed(error)
            raise
        self._negotiation.granted(session.tried)
        self._name.opened(node)
        return self._use(session)

    def adopt(self, fd: int, last: LastFrame | None = None) -> Granted:
        """Go on with a descriptor that streams already; it is closed on failure.

        `last` is what the process before us published last. Raises SourceError. The caller checks
        whether what is granted is what it wants.
        """
        self.close()
        session = Session.adopt(
            self._ops,
            fd,
            self._device,
            interrupt=self._interrupt,
            last=last,
            now_ns=self._now_ns,
        )
        return replace(self._use(session), adopted=True)

    def read(self, timeout_s: float) -> Captured | None:
        """Return the next picture, or None after `timeout_s` seconds or an interrupt."""
        buffer = self._open_session().dequeue(timeout_s)
        return None if buffer is None else self._captured(buffer)

    def read_unusual(self, fast_path: FastPath, timeout_s: float) -> Captured | None:
        """Return the next picture that `fast_path` did not publish by itself, or None likewise."""
        if self._encoder is not None:
            return self.read(timeout_s)
        buffer = self._open_session().dequeue_unusual(fast_path, timeout_s)
        return None if buffer is None else self._captured(buffer)

    def _captured(self, buffer: Dequeued) -> Captured:
        data: memoryview | bytes = buffer.view
        flags = FrameFlags.NONE
        reject: Rejection | Literal[""] = "stale" if buffer.stale else ""
        if self._encoder is not None:
            if not buffer.faulty and not reject and self.unwanted(buffer.captured_ns):
                reject = "unwatched"
            flags = FrameFlags.ENCODED
            data = b""
            if not buffer.faulty and not reject:
                try:
                    data = self._encoder.encode(buffer.view)
                except ValueError:
                    reject = "encode-failed"
        return Captured(
            data=data,
            captured_ns=buffer.captured_ns,
            device_sequence=buffer.sequence,
            faulty=buffer.faulty,
            flags=flags,
            reject=reject,
        )

    def forget_refusals(self) -> None:
        """The camera was reset: what it, or its bus, did not grant before may be granted now."""
        self._negotiation = FormatNegotiation()

    def restart_stream(self, *, full: bool = False) -> None:
        """Stop and start the stream; `full` frees the buffers and negotiates the format anew."""
        self._open_session().restart(full=full)

    def close(self) -> None:
        """Let go of the camera, whatever state it is in. Never raises; twice is harmless."""
        session, self._session, self._encoder = self._session, None, None
        if session is not None:
            session.close()

    def formats(self) -> list[dict[str, object]]:
        """Return what the open camera offers. Raises SourceError."""
        return [offer.document() for offer in query.formats(self._open_session().handle)]

    def controls(self) -> list[dict[str, object]]:
        """Return the open camera's controls with their values. Raises SourceError."""
        return controls.documents(self._open_session().handle)

    def set_controls(self, values: Mapping[str, object]) -> dict[str, int | None]:
        """Set controls of the open camera by name; return their values.

        Raises UsageError (nothing was changed) and SourceError.
        """
        return controls.set_controls(self._open_session().handle, values)

    def _choices(self, offers: Sequence[OfferedFormat]) -> Sequence[Choice]:
        choices = candidates(offers, self._request, self._device)
        if choices[0].fourcc not in COMPRESSED:
            load()  # before the camera streams, or its first frames would be stale
        return self._negotiation.left(choices)

    def _use(self, session: Session) -> Granted:
        form = session.format
        try:
            self._encoder = self._encoder_for(form)
        except SourceError:
            session.close()
            raise
        self._session = session
        return Granted(
            fourcc=form.fourcc,
            width=form.width,
            height=form.height,
            fps=float(session.rate or 0),
            device=f"{session.handle.device} ({session.card})",
            note=self._negotiation.note,
        )

    def _encoder_for(self, form: query.PixelFormat) -> Encoder | None:
        if form.fourcc in COMPRESSED:
            return None
        if form.fourcc in ENCODABLE:
            return Encoder(form.width, form.height, form.bytes_per_line)
        raise SourceError(
            "refused-format",
            f"{self._device} streams {form.fourcc}, of which no JPEG can be made here",
            remedy="it is opened afresh by itself",
        )

    def _open_session(self) -> Session:
        session = self._session
        if session is None:
            raise SourceGone(
                "not-open", f"{self._device} is not open", remedy="start the capture first"
            )
        return session
