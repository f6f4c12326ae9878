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


class ViewerHandover:
    """One worker's. Made after the fork."""

    def __init__(
        self,
        *,
        host: ViewerHost,
        channel: Channel,
        registry: WorkerRegistry,
        age: int,
        loop: StreamLoop,
        moved: Callable[[], None],
    ) -> None:
        """`age` is the worker's, as gunicorn counts them.

        `moved` is called when viewers have come from other workers or gone to them.
        """
        self._host = host
        self._channel = channel
        self._registry = registry
        self._age = age
        self._loop = loop
        self._moved = moved
        self._outcomes: Counter[HandoverOutcome] = Counter()
        self._timer: Timer | None = None
        self._waits_since_ns = 0  # 0: nothing waits
        self._gave = False  # and has not taken since
        self._balance_from_ns = 0  # no earlier than this
        self._left_ns = 0  # when it was told to end; 0: it was not

    def open(self) -> None:
        """Begin to take viewers: the worker serves."""
        self._registry.tell(WorkerState.SERVING)
        for fd in self._channel.filenos():
            # Edge-triggered: viewers that are left to others do not make a busy loop.
            self._loop.add(fd, select.EPOLLIN | select.EPOLLET, lambda _: self._look())
        self.balance()

    def leave(self) -> None:
        """Begin to give all viewers away: the worker is to end. Twice is harmless."""
        if self._left_ns:
            return
        self._left_ns = self._loop.clock()
        self._registry.tell(WorkerState.ENDING)
        for fd in self._channel.filenos():
            self._loop.remove(fd)
        self._leave()

    def close(self) -> None:
        """Note that the worker ends."""
        if self._host.all_viewers():
            self._registry.lose()
        self._registry.tell(WorkerState.OVER)

    @property
    def empty(self) -> bool:
        """Whether a worker that is to end may do so: it has no viewers."""
        return not self._host.all_viewers()

    def worker_counts(self) -> WorkerCounts:
        """Return how many hand-overs came to what end."""
        return WorkerCounts({(HANDED_OVER, end.value): n for end, n in self._outcomes.items()})

    def _look(self) -> None:
        """Take what is this worker's of those that wait, and come back for the rest."""
        if self._left_ns:
            return
        now = self._loop.clock()
        waiting = self._channel.waiting()
        if not waiting:
            self._waits_since_ns = 0
            return
        self._waits_since_ns = self._waits_since_ns or now
        long = now - self._waits_since_ns >= PATIENCE_NS
        others = [
            peer.viewers for peer in self._registry.peers() if peer.state != WorkerState.ENDING
        ]
        wanted = to_take(self._host.frame_viewers(), others, waiting, long=long)
        taken = 0
        while taken < min(wanted, _AT_ONCE) and self._take():
            taken += 1
        if taken:
            if long and self._gave:  # what it gave away it has back
                self._balance_from_ns = now + _PAUSE_NS
            self._gave = False
            self._moved()
        if self._timer is not None:
            self._timer.cancel()
        due_ns = now if taken == _AT_ONCE else now + _LOOK_AGAIN_NS
        self._timer = self._loop.call_at(due_ns, self._look)

    def _take(self) -> bool:
        """Take one viewer in; False when there is none to be had."""
        try:
            arrival = self._channel.take()
        except OtherVersion as error:
            self._failed(HandoverOutcome.OTHER_VERSION, 1, str(error))
            return True
        except Unreadable as error:
            self._failed(HandoverOutcome.UNREADABLE, 1, str(error))
            return True
        if arrival is None:
            return False
        if self._host.move_in(*arrival):
            self._outcomes[HandoverOutcome.DONE] += 1
        else:
            self._failed(HandoverOutcome.NOT_SERVED, 1, "it cannot be served here")
        return True

    def balance(self) -> None:
        """Give some viewers away if there are far too many of them here. To be called each second.

        And not by a timer of its own: a worker that nobody watches wakes up no oftener.
        """
        now = self._loop.clock()
        if self._left_ns or now < self._balance_from_ns or self._host.frame_viewers() <= FAR:
            return
        self._balance_from_ns = now + BALANCE_EVERY_NS
        if not self._channel.waiting():
            others = [
                peer.viewers
                for peer in self._registry.peers()
                if peer.state == WorkerState.SERVING and now - peer.seen_ns < _AWAKE_NS
            ]
            self._give_away(to_give(self._host.frame_viewers(), others))

    def _give_away(self, count: int) -> None:
        """Give `count` viewers of frames away, if that can be done: those that came last."""
        if not count:
            return
        frames = self._host.all_viewers()[: self._host.frame_viewers()]
        try:
            for viewer in frames[-min(count, _AT_ONCE) :]:
                self._gave = self._give(viewer) or self._gave
        except (OSError, ValueError) as error:
            log.warning("viewers cannot be given to other workers: %s", error)
            self._balance_from_ns = self._loop.clock() + _PAUSE_NS
        self._moved()

    def _leave(self) -> None:
        """Give away what there is room for; at the end close the others."""
        now = self._loop.clock()
        late = now - self._left_ns >= LEAVE_WITHIN_NS
        # On a busy processor this may be the first turn for long, and it is the last one: then all.
        at_once = None if late else _AT_ONCE
        given = 0
        if self._may_leave((now - self._left_ns) / 1e9):
            for viewer in self._host.all_viewers()[:at_once]:
                try:
                    given += self._give(viewer)
                except (OSError, ValueError) as error:
                    viewer.close(Closed.ENDED)
                    self._failed(HandoverOutcome.FAILED, 1, str(error))
        if given:
            self._moved()
        if late:
            self._close_rest()
        due_ns = now if given == _AT_ONCE else now + _LOOK_AGAIN_NS
        self._loop.call_at(due_ns, self._leave)

    def _may_leave(self, waited_s: float) -> bool:
        peers = self._registry.peers()
        return may_leave(
            waited_s,
            self._age,
            self._registry.newest_age,
            serving=[peer.age for peer in peers if peer.state == WorkerState.SERVING],
            booting=[peer.age for peer in peers if peer.state == WorkerState.BOOTING],
        )

    def _give(self, viewer: Viewer) -> bool:
        """Give one viewer away; False when there is no room. Raises as `Channel.put`."""
        if not self._channel.put(self._host.state_of(viewer), viewer.fileno(), viewer.rest):
            return False
        self._host.moved_out(viewer)
        return True

    def _close_rest(self) -> None:
        viewers = self._host.all_viewers()
        for viewer in viewers:
            viewer.close(Closed.ENDED)
        if viewers:
            self._failed(HandoverOutcome.NO_ROOM, len(viewers), "no worker took them in time")

    def _failed(self, end: HandoverOutcome, viewers: int, why: str) -> None:
        self._outcomes[end] += viewers
        self._registry.lose()
        log.warning("%d viewers were lost on their way to another worker: %s", viewers, why)
