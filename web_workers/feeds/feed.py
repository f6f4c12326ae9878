"""One camera in one worker: what its viewers are to be shown, and when.

A feed is parked (no ring mapped, no socket, no timer) until its first viewer joins and again when
the last one left. Awake, it takes each frame once and has the fan-out send it. A timer that each
frame sets anew looks after what no hint tells: frames whose hint was lost, new epochs, pauses.

Runs in the worker's main thread.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from functools import lru_cache

from framebus.demand import DemandLease
from framebus.listener import silence_s
from framebus.names import CameraNames

from web_workers.cameras.cause import fresh_for_ns
from web_workers.cameras.ring_follower import RingFollower
from web_workers.cameras.waking import PATIENCE_NS, is_waking
from web_workers.counts.worker_counts import Closed
from web_workers.feeds.fanout import Fanout
from web_workers.feeds.notice import Notice
from web_workers.handover.viewer_state import ViewerState
from web_workers.viewers.broadcast_send import BroadcastFactory, SequentialBroadcast
from web_workers.viewers.viewer import Viewer
from web_workers.wire.loop import StreamLoop, Timer
from web_workers.wire.multipart import Picture

FILL_NS = 850_000_000
"""After so long without output something is sent: the old part, or a placeholder. With the time
until somebody looks, and the painting, that makes at least one a second."""
_LOOK_MAX_NS = 100_000_000
"""How often the cursor is looked at while no frame comes, at least."""

Paint = Callable[[Notice, Callable[[bytes], None]], None]


class Feed:
    """One camera's ring, from the first viewer to the last."""

    def __init__(
        self,
        *,
        names: CameraNames,
        loop: StreamLoop,
        paint: Paint,
        broadcast_factory: BroadcastFactory = SequentialBroadcast,
    ) -> None:
        """`paint` makes a placeholder and calls back in the loop's thread."""
        self._names = names
        self._loop = loop
        self._paint = paint
        self.fanout = Fanout(
            names.camera, clock=loop.clock, on_empty=self._park, broadcast_factory=broadcast_factory
        )
        """Its viewers."""
        self._follower: RingFollower | None = None
        self._timer: Timer | None = None
        self._look_ns = 0  # when that is due
        self._demand = DemandLease(names, loop.clock)
        self._rest_state()

    def _rest_state(self) -> None:
        """Forget everything about frames."""
        self.fanout.forget()
        self._placeholder: Picture | None = None  # what stands in for the newest frame now
        self._output_ns = 0  # when anything was last sent to all
        self._painting = False
        self._paused = False  # dual_final viewers have had their second copy
        self._patient_until_ns = 0  # a camera that wakes is waited for, without a word

    def join(self, viewer: Viewer, head: bytes) -> None:
        """Take a viewer in: send `head` and the newest picture at once."""
        if self._follower is None:
            self._wake()
        now = self._loop.clock()
        first = self.fanout.newest if self._fresh(now) else self._placeholder
        self.fanout.join(viewer, head, first)
        if first is None:
            self._ask_for_placeholder(now)

    def move_in(self, viewer: Viewer, viewer_state: ViewerState) -> None:
        """Take in a viewer that another worker has served."""
        if self._follower is not None:
            self._deliver(self._follower, self._follower.poll())  # nobody may be ahead of it
        if self._follower is None:  # the last viewer may just have left
            self._wake()
        self.fanout.move_in(viewer, viewer_state)

    def want(self) -> None:
        """Tell the daemon that frames are wanted; once a second while there are viewers."""
        if self._follower is not None:
            self._demand.renew(self._follower.ring)

    def close(self) -> None:
        """Close all viewers, and so park."""
        self.fanout.close(Closed.ENDED)

    def _wake(self) -> None:
        """Attach to the ring."""
        self._follower = RingFollower(self._names, opened=self._listen, closing=self._loop.remove)
        self.want()
        if self._demand.matters:
            self._patient_until_ns = self._loop.clock() + PATIENCE_NS
        self._look()

    def _park(self) -> None:
        if self._follower is None:
            return
        self._follower.close()
        self._follower = None
        self._demand.close()
        if self._timer is not None:
            self._timer.cancel()
        self._rest_state()

    def _listen(self, descriptor: int) -> None:
        self._loop.add(descriptor, select.EPOLLIN, self._hinted)

    def _hinted(self, _events: int) -> None:
        if self._follower is not None:
            self._deliver(self._follower, self._follower.receive())

    def _deliver(self, follower: RingFollower, picture: Picture | None) -> bool:
        """Have a new frame, if that is one, sent to all who can take it; return whether it was."""
        if picture is None:
            return False
        self._placeholder = None
        now = self._output_ns = self._loop.clock()
        self._paused = False
        interval_ns = follower.interval_ns
        self.look_at(now + silence_ns(interval_ns))
        self.fanout.deliver(
            picture,
            published=follower.published,
            interval_ns=interval_ns,
            lineage=follower.lineage,
        )
        return True

    @property
    def awake(self) -> bool:
        """Whether anybody views it."""
        return self._follower is not None

    def usual(self) -> RingFollower | None:
        """Return where its frames come from, if they come and nothing else is shown or under way.

        Then they may be handed to viewers by somebody else, who tells of it (`pumped`).
        """
        if self._paused or self._painting or self._placeholder is not None:
            return None
        return self._follower if self.fanout.progress.captured_ns else None

    def pumped(
        self, sent_ns: int, newest: Callable[[], Picture], short: list[tuple[int, int]]
    ) -> None:
        """Take note of frames that were sent, the newest at `sent_ns`; the rest is Fanout's."""
        self._output_ns = sent_ns
        self.fanout.pumped(newest, short)

    def said(self, data: bytes) -> None:
        """Take what somebody else has read of the socket that tells of frames."""
        if self._follower is not None:
            self._deliver(self._follower, self._follower.take(data))

    def stop_looking(self) -> int:
        """Do not look without a hint, until `look_at`; return when it would have been."""
        if self._timer is not None:
            self._timer.cancel()
        return self._look_ns

    def look_at(self, when_ns: int) -> None:
        """Look without a hint at `when_ns`, and not before."""
        if self._timer is not None:
            self._timer.cancel()
        self._look_ns = when_ns
        self._timer = self._loop.call_at(when_ns, self._look)

    def _look(self) -> None:
        """Look after everything that no hint tells: none came for a while."""
        follower = self._follower
        if follower is None:
            return
        silent_ns = silence_ns(follower.interval_ns)
        now = self._loop.clock()
        self.look_at(now + min(silent_ns, _LOOK_MAX_NS))
        if not self._deliver(follower, follower.poll()):
            self._pause(now, silent_ns)

    def _pause(self, now: int, silent_ns: int) -> None:
        """No frame came when one was due."""
        newest = self.fanout.newest
        if not self._paused and newest is not None:
            self._paused = True
            self.fanout.repeat()
        if not self._fresh(now):
            if now - self._output_ns >= FILL_NS:
                self._ask_for_placeholder(now)
        elif now - self._output_ns >= max(FILL_NS, silent_ns) and newest is not None:
            self._show(newest, now)

    def _fresh(self, now: int) -> bool:
        newest = self.fanout.newest
        if newest is None or self._follower is None:
            return False
        return now - newest.captured_ns <= fresh_for_ns(self._follower.interval_ns)

    def _show(self, picture: Picture, now: int) -> None:
        """Have something sent that is no new frame."""
        self._output_ns = now
        self.fanout.show(picture, due_ns=FILL_NS)

    def _ask_for_placeholder(self, now: int) -> None:
        follower = self._follower
        if self._painting or follower is None:
            return
        cause = follower.cause()
        if now < self._patient_until_ns and is_waking(cause):
            return
        self._painting = True
        last = self.fanout.newest
        self._paint(
            Notice.of(
                self._names.camera,
                cause,
                jpeg=bytes(last.jpeg) if last is not None else None,
                age_s=(now - last.captured_ns) / 1e9 if last is not None else 0.0,
            ),
            lambda jpeg: self._painted(jpeg, cause.code, follower, last),
        )

    def _painted(
        self, jpeg: bytes, code: str, follower: RingFollower, last: Picture | None
    ) -> None:
        """Show a placeholder, if it is still what there is to show."""
        if follower is not self._follower:
            return  # parked meanwhile
        self._painting = False
        now = self._loop.clock()
        if last is not self.fanout.newest or self._fresh(now):
            return
        self._placeholder = Picture.stand_in(jpeg, code, last)
        self._show(self._placeholder, now)


@lru_cache(maxsize=16)
def silence_ns(interval_ns: int) -> int:
    """Return how long to trust the socket before looking at the cursor."""
    return round(silence_s(interval_ns) * 1e9)
