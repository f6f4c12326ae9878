"""All that a frame passes in the daemon behind its source: publisher, ring, counters and hints."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

from framebus.errors import FrameGone
from framebus.names import CameraNames
from framebus.notifier import Notifier
from framebus.ring.announcement import Announcement
from framebus.ring.layout import SMALLEST_CAPACITY
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter
from framebus.zmtp.publisher import Acceptor
from framebus.zmtp.wire import message

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.outlet import Outlet
from capture_daemon.capturing.publisher import Publisher
from capture_daemon.capturing.rate_gate import RateGate
from capture_daemon.capturing.switcher import Switcher
from capture_daemon.native.library import FastPath, Library
from tests.fakes.zmtp_peer import connect, greet, subscription
from tests.helpers.waiting import until

HINT = 2 + 136
"""Bytes of a hint on the wire."""


class Counted(FastPath):
    """Counts what took it; frames of a V4L2 stream are not among them."""

    taken = 0

    def publish(self, data: bytes | memoryview, captured_ns: int, device_sequence: int) -> bool:
        done = super().publish(data, captured_ns, device_sequence)
        self.taken += done
        return done


class Subscriber:
    """A peer that wants every hint, or those that begin with a prefix."""

    def __init__(self, path: Path, prefix: bytes = b"") -> None:
        self.socket = connect(path)
        greet(self.socket, b"SUB")
        self.socket.sendall(subscription(prefix))
        self.socket.setblocking(False)

    def heard(self) -> bytes:
        """Return all that came."""
        said = b""
        with suppress(BlockingIOError):
            while more := self.socket.recv(1 << 16):
                said += more
        return said


class FramePath:
    """One camera and its fallback; with a library, usual frames take the fast path."""

    def __init__(self, runtime: Path, library: Library | None) -> None:
        with ExitStack() as stack:
            names = CameraNames(runtime)
            self.writer = RingWriter.create(names, capacity=SMALLEST_CAPACITY)
            stack.callback(self.writer.close)
            self.reader = RingReader.attach(names)
            stack.callback(self.reader.close)
            acceptor = Acceptor()
            stack.callback(acceptor.close)
            self.outlet = outlet = Outlet(self.writer, library)
            notifier = Notifier(
                acceptor, names, lock=outlet.lock, subscribed=outlet.state.subscribed
            )
            stack.callback(notifier.close)
            self.notifier = notifier
            self.frames_socket = names.frames_socket
            self.switcher = Switcher(ring=self.writer, announce=notifier.announce, outlet=outlet)
            self.inputs = (self.switcher.camera, self.switcher.fallback)
            self.fast_paths = [
                Counted(library, outlet.state, each.state) if library else None
                for each in self.inputs
            ]
            for each, fast_path in zip(self.inputs, self.fast_paths, strict=True):
                each.fast_path = fast_path
            self.counters = [FrameCounters(each.state, each.lock) for each in self.inputs]
            self.gates = [RateGate(each.state) for each in self.inputs]
            self.publishers = [
                Publisher(outlet=each, counters=counters, gate=gate)
                for each, counters, gate in zip(self.inputs, self.counters, self.gates, strict=True)
            ]
            self._stack = stack.pop_all()

    @property
    def taken(self) -> int:
        """How many frames were published by the fast path's `publish`."""
        return sum(each.taken for each in self.fast_paths if each is not None)

    def subscribe(self, prefix: bytes = b"") -> Subscriber:
        """Return a subscriber, once it is one."""
        known = len(self.notifier._subscribers)
        subscriber = Subscriber(self.frames_socket, prefix)
        self._stack.callback(subscriber.socket.close)
        until(lambda: len(self.notifier._subscribers) > known)
        return subscriber

    def announced(self, heard: bytes) -> list[int]:
        """Return the sequences of hints, each of which is checked against the ring."""
        assert len(heard) % HINT == 0
        sequences = []
        for at in range(0, len(heard), HINT):
            hint = heard[at : at + HINT]
            announcement = Announcement.unpack(hint[2:])
            assert hint == message(announcement.pack())
            sequences.append(announcement.sequence)
            with suppress(FrameGone):  # lapped
                assert self.reader.read_announced(announcement).sequence == sequences[-1]
        return sequences

    def close(self) -> None:
        self._stack.close()
