"""A daemon's publishing half without a daemon: a ring, its notifications, and its lock."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from framebus.frame import FrameFlags
from framebus.names import DEFAULT_CAMERA, CameraNames
from framebus.notifier import EventNotifier, Notifier
from framebus.ring.announcement import Announcement
from framebus.ring.writer import RingWriter
from framebus.zmtp.publisher import Acceptor
from PIL import Image


def jpeg(number: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of one colour, which depends on `number`."""
    out = io.BytesIO()
    Image.new("RGB", size, (number * 40 % 256, 90, 200 - number * 40 % 200)).save(out, "JPEG")
    return out.getvalue()


class Bus:
    """Publishes by hand, or with `start` at a rate from a thread."""

    def __init__(self, runtime: Path, camera: str = DEFAULT_CAMERA, *, fps: float = 30.0) -> None:
        self.names = CameraNames(runtime, camera)
        self.interval_ns = round(1e9 / fps)
        self.acceptor = Acceptor()
        self.writer = RingWriter.create(self.names, capacity=4 << 20)
        self.writer.set_interval(self.interval_ns)
        self.notifier = Notifier(self.acceptor, self.names)
        self.events = EventNotifier(self.acceptor, self.names)
        self.tell("streaming")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(
        self,
        state: str,
        cause: dict[str, str] | None = None,
        fallback: dict[str, object] | None = None,
        demand: Mapping[str, object] | None = None,
    ) -> None:
        """Set the status document and send it as an event."""
        granted = {"fourcc": "MJPG", "width": 64, "height": 48, "fps": 1e9 / self.interval_ns}
        document: dict[str, object] = {
            "camera": self.names.camera,
            "pid": os.getpid(),
            "state": state,
            "cause": cause,
            "source": {"spec": "test", "granted": granted},
            "frames": {"fps": 30.0},
            "fallback": fallback,
            "demand": demand,
        }
        self.writer.set_status(document)
        self.events.tell("state", document)

    def publish(
        self,
        data: bytes | None = None,
        captured_ns: int | None = None,
        flags: FrameFlags = FrameFlags.NONE,
    ) -> int:
        """Publish and announce one frame; return its sequence."""
        announcement = self.writer.publish(
            data if data is not None else jpeg(self.writer.cursor),
            captured_ns=time.monotonic_ns() if captured_ns is None else captured_ns,
            captured_utc_ns=time.time_ns(),
            width=64,
            height=48,
            flags=flags,
        )
        self.notifier.announce(announcement)
        return announcement.sequence

    def publish_all(self, frames: Iterable[bytes]) -> list[Announcement]:
        """Publish without telling anybody; return what there would be to tell."""
        return [
            self.writer.publish(
                data, captured_ns=time.monotonic_ns(), captured_utc_ns=time.time_ns()
            )
            for data in frames
        ]

    def start(self, size: int = 0) -> None:
        """Publish at the rate given until `close`; frames have at least `size` bytes."""
        self._thread = threading.Thread(target=self._run, args=(size,))
        self._thread.start()

    def _run(self, size: int) -> None:
        frames = [_padded(jpeg(number), size) for number in range(8)]
        due = time.monotonic()
        while not self._stop.is_set():
            self.publish(frames[self.writer.cursor % len(frames)])
            due += self.interval_ns / 1e9
            self._stop.wait(max(0.0, due - time.monotonic()))

    def pause(self) -> None:
        """Stop the thread of `start`."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._stop.clear()

    def close(self) -> None:
        self.pause()
        self.notifier.close()
        self.events.close()
        self.writer.close()
        self.acceptor.close()


def _padded(picture: bytes, size: int) -> bytes:
    """Make a JPEG larger without changing it: a comment segment after SOI (ITU T.81 B.2.4.5)."""
    while len(picture) < size:
        filler = min(65_533, size)
        comment = b"\xff\xfe" + (filler + 2).to_bytes(2, "big") + bytes(filler)
        picture = picture[:2] + comment + picture[2:]
    return picture
