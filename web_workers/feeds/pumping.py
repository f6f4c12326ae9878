"""Has the pump carry frames to viewers, as long as all is usual (native/pump.c); else Python does.

That is for the one feed that somebody views, while its frames come as they should and few viewers,
all in step, are all it has. Whatever else happens, the pump returns and nothing is pending.

Runs in the worker's main thread, in place of the loop's wait.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterable

from framebus.ring import layout
from framebus.ring.layout import Descriptor
from framebus.ring.reader import RingReader

from web_workers.cameras.ring_follower import RingFollower
from web_workers.counts.tally import AGE_BOUNDS_NS
from web_workers.feeds.feed import Feed, silence_ns
from web_workers.native.library import Pump
from web_workers.native.state import HEAD
from web_workers.viewers.broadcast_send import FEWEST
from web_workers.viewers.viewer import Viewer
from web_workers.wire.loop import StreamLoop
from web_workers.wire.multipart import Picture

_CAPTURED = Descriptor._fields.index("captured_ns")
_Members = tuple[Viewer, ...]


class Pumping:
    """One worker's; it is the loop's `pump`."""

    def __init__(
        self, pump: Pump, *, loop: StreamLoop, awake: Callable[[], Iterable[Feed]]
    ) -> None:
        """`awake` returns the feeds that somebody views."""
        self._pump = pump
        self._loop = loop
        self._awake = awake
        self._part: mmap.mmap | None = None
        self._prepared: object = None
        self._pump.state.epoll = loop.fileno()
        self._pump.state.bounds[:] = [*AGE_BOUNDS_NS]

    def __call__(self, end_ns: int) -> bool:
        """Wait until `end_ns` at most, and have frames sent meanwhile; False if that cannot be.

        Then everything that is due or ready otherwise was served.
        """
        feed, *others = (*self._awake(), None)
        follower = feed.usual() if feed is not None and others == [None] else None
        members = feed.fanout.in_step if feed is not None and follower is not None else None
        if feed is None or follower is None or not members or len(members) >= FEWEST:
            self._prepared = None
            return False
        if (ring := follower.ring) is None or (hints := follower.hints) is None:
            return False
        prepared = (ring, members, hints, ring.interval_ns)
        if prepared != self._prepared:
            self._prepare(feed, ring, members, hints)
            self._prepared = prepared
        self._run(feed, follower, end_ns)
        return True

    def _run(self, feed: Feed, follower: RingFollower, end_ns: int) -> None:
        state = self._pump.state
        state.newest[0], state.newest[_CAPTURED] = follower.last
        state.published = follower.published  # the fan-out has not been told of all of them
        state.look_ns = feed.stop_looking()
        state.until_ns = self._loop.next_ns(end_ns)
        events = self._pump.run()
        feed.look_at(state.look_ns)
        if state.pumped:
            follower.passed(state.newest[0], state.newest[_CAPTURED])
            feed.pumped(state.sent_ns, self._newest, self._pump.taken())
        if state.said_size:
            feed.said(self._pump.said())
        self._loop.serve(events)

    def _prepare(self, feed: Feed, ring: RingReader, members: _Members, hints: int) -> None:
        state, geometry = self._pump.state, ring.geometry
        state.progress = ctypes.addressof(feed.fanout.progress)
        state.hints = hints
        state.interval_word = ring.address + 8 * layout.W_INTERVAL
        state.claimed_word = ring.address + 8 * layout.W_CLAIMED
        state.arena = ring.address + geometry.arena
        state.capacity, state.largest = geometry.capacity, geometry.largest
        state.epoch, state.interval_ns = ring.epoch, ring.interval_ns
        state.silence_ns = silence_ns(ring.interval_ns)
        if self._part is None or state.room < geometry.largest + HEAD:
            self._part = mmap.mmap(
                -1, geometry.largest + HEAD
            )  # of which a frame's is ever touched
            self._part_view = (ctypes.c_char * len(self._part)).from_buffer(self._part)
            state.part, state.room = ctypes.addressof(self._part_view), len(self._part)
        state.viewers = len(members)
        for number, viewer in enumerate(members):
            state.sockets[number] = viewer.fileno()

    def _newest(self) -> Picture:
        """Return the newest picture that was pumped."""
        state = self._pump.state
        plain = ctypes.string_at(state.part, state.size)
        return Picture.made(Descriptor._make(state.newest), state.start, plain)
