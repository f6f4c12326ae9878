"""Carries viewers from worker to worker: takes its share of those that wait, gives its own away.

A worker that is to end gives all, as soon as those are up that go on (policy.py), and is empty
within `LEAVE_WITHIN_NS`: whoever has not found room in the channel by then is closed, counted and
logged. Until a viewer has been put in it is served on. A worker that has far more viewers than the
others gives some away.

Runs in the worker's main thread, from timers and the channel's descriptors, some viewers at a time.
"""

from __future__ import annotations

import logging
import select
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from web_workers.counts.worker_counts import HANDED_OVER, Closed, HandoverOutcome, WorkerCounts
from web_workers.handover.channel import Channel
from web_workers.handover.policy import FAR, may_leave, to_give, to_take
from web_workers.handover.viewer_state import OtherVersion, Unreadable, ViewerState
from web_workers.handover.worker_registry import WorkerRegistry, WorkerState
from web_workers.viewers.viewer import Viewer
from web_workers.wire.loop import StreamLoop, Timer

log = logging.getLogger("gunicorn.error")

LEAVE_WITHIN_NS = 1_800_000_000
"""How long a worker that is to end may have viewers."""
PATIENCE_NS = 300_000_000
"""How long viewers that are others' share may wait before anybody takes them."""
BALANCE_EVERY_NS = 1_000_000_000
_PAUSE_NS = 10_000_000_000  # after giving was in vain
# A worker that came round its loop so lately is well: it does each second.
_AWAKE_NS = 2_500_000_000
_LOOK_AGAIN_NS = 20_000_000
_AT_ONCE = 32  # viewers, before frames and requests have their turn again


class ViewerHost(Protocol):
    """The worker's viewers, as the hand-over needs them."""

    def all_viewers(self) -> list[Viewer]:
        """Return all viewers, those of frames first."""

    def frame_viewers(self) -> int:
        """Return how many view frames: those of states cost next to nothing."""

    def state_of(self, viewer: Viewer) -> ViewerState:
        """Return what a viewer takes along."""

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker will serve."""

    def move_in(self, sock: socket.socket, viewer_state: ViewerState, rest: bytes) -> bool:
        """Serve a viewer that another worker has served; False if that cannot be done."""


@dataclass(kw_only=True, eq=False)
class ViewerHandover:
    """One worker's. Made after the fork."""

    host: ViewerHost
    channel: Channel
    registry: WorkerRegistry
    age: int
    """The worker's, as gunicorn counts them."""
    loop: StreamLoop
    moved: Callable[[], None]
    """Called when viewers have come from other workers or gone to them."""
    _outcomes: Counter[HandoverOutcome] = field(init=False, default_factory=Counter)
    _timer: Timer | None = field(init=False, default=None)
    _waits_since_ns: int = field(init=False, default=0)  # 0: nothing waits
    _gave: bool = field(init=False, default=False)  # and has not taken since
    _balance_from_ns: int = field(init=False, default=0)
    _left_ns: int = field(init=False, default=0)  # when it was told to end; 0: it was not

    def open(self) -> None:
        """Begin to take viewers: the worker serves."""
        self.registry.tell(WorkerState.SERVING)
        for fd in self.channel.filenos():
            # Edge-triggered: viewers that are left to others do not make a busy loop.
            self.loop.add(fd, select.EPOLLIN | select.EPOLLET, lambda _: self._look())
        self.balance()

    def leave(self) -> None:
        """Begin to give all viewers away: the worker is to end. Twice is harmless."""
        if self._left_ns:
            return
        self._left_ns = self.loop.clock()
        self.registry.tell(WorkerState.ENDING)
        for fd in self.channel.filenos():
            self.loop.remove(fd)
        self._leave()

    def close(self) -> None:
        """Note that the worker ends."""
        if self.host.all_viewers():
            self.registry.lose()
        self.registry.tell(WorkerState.OVER)

    @property
    def empty(self) -> bool:
        """Whether a worker that is to end may do so: it has no viewers."""
        return not self.host.all_viewers()

    def worker_counts(self) -> WorkerCounts:
        """Return how many hand-overs came to what end."""
        return WorkerCounts({(HANDED_OVER, end.value): n for end, n in self._outcomes.items()})

    def _look(self) -> None:
        """Take what is this worker's of those that wait, and come back for the rest."""
        if self._left_ns:
            return
        now = self.loop.clock()
        waiting = self.channel.waiting()
        if not waiting:
            self._waits_since_ns = 0
            return
        self._waits_since_ns = self._waits_since_ns or now
        long = now - self._waits_since_ns >= PATIENCE_NS
        others = [
            peer.viewers for peer in self.registry.peers() if peer.state != WorkerState.ENDING
        ]
        wanted = to_take(self.host.frame_viewers(), others, waiting, long=long)
        taken = 0
        while taken < min(wanted, _AT_ONCE) and self._take():
            taken += 1
        if taken:
            if long and self._gave:  # what it gave away it has back
                self._balance_from_ns = now + _PAUSE_NS
            self._gave = False
            self.moved()
        if self._timer is not None:
            self._timer.cancel()
        due_ns = now if taken == _AT_ONCE else now + _LOOK_AGAIN_NS
        self._timer = self.loop.call_at(due_ns, self._look)

    def _take(self) -> bool:
        """Take one viewer in; False when there is none to be had."""
        try:
            arrival = self.channel.take()
        except OtherVersion as error:
            self._failed(HandoverOutcome.OTHER_VERSION, 1, str(error))
            return True
        except Unreadable as error:
            self._failed(HandoverOutcome.UNREADABLE, 1, str(error))
            return True
        if arrival is None:
            return False
        if self.host.move_in(*arrival):
            self._outcomes[HandoverOutcome.DONE] += 1
        else:
            self._failed(HandoverOutcome.NOT_SERVED, 1, "it cannot be served here")
        return True

    def balance(self) -> None:
        """Give some viewers away if there are far too many of them here. To be called each second.

        And not by a timer of its own: a worker that nobody watches wakes up no oftener.
        """
        now = self.loop.clock()
        if self._left_ns or now < self._balance_from_ns or self.host.frame_viewers() <= FAR:
            return
        self._balance_from_ns = now + BALANCE_EVERY_NS
        if not self.channel.waiting():
            others = [
                peer.viewers
                for peer in self.registry.peers()
                if peer.state == WorkerState.SERVING and now - peer.seen_ns < _AWAKE_NS
            ]
            self._give_away(to_give(self.host.frame_viewers(), others))

    def _give_away(self, count: int) -> None:
        """Give `count` viewers of frames away, if that can be done: those that came last."""
        if not count:
            return
        frames = self.host.all_viewers()[: self.host.frame_viewers()]
        try:
            for viewer in frames[-min(count, _AT_ONCE) :]:
                self._gave = self._give(viewer) or self._gave
        except (OSError, ValueError) as error:
            log.warning("viewers cannot be given to other workers: %s", error)
            self._balance_from_ns = self.loop.clock() + _PAUSE_NS
        self.moved()

    def _leave(self) -> None:
        """Give away what there is room for; at the end close the others."""
        now = self.loop.clock()
        late = now - self._left_ns >= LEAVE_WITHIN_NS
        # On a busy processor this may be the first turn for long, and it is the last one: then all.
        at_once = None if late else _AT_ONCE
        given = 0
        if self._may_leave((now - self._left_ns) / 1e9):
            for viewer in self.host.all_viewers()[:at_once]:
                try:
                    given += self._give(viewer)
                except (OSError, ValueError) as error:
                    viewer.close(Closed.ENDED)
                    self._failed(HandoverOutcome.FAILED, 1, str(error))
        if given:
            self.moved()
        if late:
            self._close_rest()
        due_ns = now if given == _AT_ONCE else now + _LOOK_AGAIN_NS
        self.loop.call_at(due_ns, self._leave)

    def _may_leave(self, waited_s: float) -> bool:
        peers = self.registry.peers()
        return may_leave(
            waited_s,
            self.age,
            self.registry.newest_age,
            serving=[peer.age for peer in peers if peer.state == WorkerState.SERVING],
            booting=[peer.age for peer in peers if peer.state == WorkerState.BOOTING],
        )

    def _give(self, viewer: Viewer) -> bool:
        """Give one viewer away; False when there is no room. Raises as `Channel.put`."""
        if not self.channel.put(self.host.state_of(viewer), viewer.fileno(), viewer.rest):
            return False
        self.host.moved_out(viewer)
        return True

    def _close_rest(self) -> None:
        viewers = self.host.all_viewers()
        for viewer in viewers:
            viewer.close(Closed.ENDED)
        if viewers:
            self._failed(HandoverOutcome.NO_ROOM, len(viewers), "no worker took them in time")

    def _failed(self, end: HandoverOutcome, viewers: int, why: str) -> None:
        self._outcomes[end] += viewers
        self.registry.lose()
        log.warning("%d viewers were lost on their way to another worker: %s", viewers, why)
