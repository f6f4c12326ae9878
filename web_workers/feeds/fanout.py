"""One camera's viewers in one worker, and what each of them is sent and counted.

Makes one `bytes` of a frame per style and hands that to every viewer that is not still receiving
an older one. It knows no ring, no timer and no cause: what there is to show, the feed decides.

Runs in the worker's main thread; `delivery` and `age_ns` may be called from others.
"""

from __future__ import annotations

from collections.abc import Callable

from web_workers.counts.progress import Progress
from web_workers.counts.tally import Delivery, Tally
from web_workers.counts.worker_counts import FRAMES, Closed, WorkerCounts
from web_workers.handover.codec import viewer_fields
from web_workers.handover.viewer_state import ViewerState
from web_workers.viewers.broadcast_send import BroadcastFactory, SequentialBroadcast
from web_workers.viewers.in_step_viewers import InStepViewers
from web_workers.viewers.viewer import Viewer, closed_by
from web_workers.wire.multipart import Picture, Style, opening, part


class Fanout:
    """Hands pictures to viewers; each takes the newest when it can."""

    def __init__(
        self,
        camera: str,
        *,
        clock: Callable[[], int],
        on_empty: Callable[[], None],
        broadcast_factory: BroadcastFactory = SequentialBroadcast,
    ) -> None:
        """`clock` gives monotonic nanoseconds; `on_empty` is called when the last viewer left."""
        self._camera = camera
        self._clock = clock
        self._on_empty = on_empty
        self._viewers: dict[Viewer, None] = {}  # in order of joining
        self.progress = Progress()
        """What is counted with each frame."""
        self._in_step = InStepViewers(self.progress, broadcast_factory)  # take all, and keep up
        self._others: dict[Viewer, None] = {}  # all the others
        self._tally = Tally(self.progress)
        self.forget()

    def forget(self) -> None:
        """Forget everything about frames, as if none had ever come."""
        self._newest: Picture | None = None
        self._pumped: Callable[[], Picture] | None = None  # makes the newest, where it is pumped
        self.progress.published = self.progress.captured_ns = 0
        self._lineage = 0  # of the ring that it is from
        self._interval_ns = 0
        self._parts: dict[Style, bytes] = {}  # of the newest frame
        self._number = 0  # counts the frames delivered

    @property
    def newest(self) -> Picture | None:
        """The newest frame. The loop's thread only."""
        if self._pumped is not None:
            self._newest, self._pumped = self._pumped(), None
        return self._newest

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those connected now."""
        return tuple(self._viewers)

    def delivery(self, viewer: Viewer) -> Delivery:
        """Return what became of the frames since a viewer joined. Any thread."""
        published = self.progress.published  # before `sent`, which may grow meanwhile
        waiting = int(viewer not in self._in_step and viewer.seen != self._number)
        sent, bytes_sent = self._in_step.counts(viewer)
        skipped = max(0, published - viewer.base - sent - waiting)
        return Delivery(sent, skipped, waiting, bytes_sent)

    def age_ns(self, viewer: Viewer) -> int | None:
        """Return how old the newest frame is that a viewer was sent, None without. Any thread."""
        captured_ns = self._captured_ns(viewer)
        return self._clock() - captured_ns if captured_ns else None

    def _captured_ns(self, viewer: Viewer) -> int:
        captured_ns = self.progress.captured_ns
        return captured_ns if captured_ns and viewer in self._in_step else viewer.captured_ns

    def worker_counts(self) -> WorkerCounts:
        """Return what its viewers came to, those that have left included."""
        in_step = self._in_step.total(self.progress.published)
        others = (self.delivery(viewer) for viewer in self._others)
        return self._tally.worker_counts(
            self._camera, FRAMES, len(self._viewers), (in_step, *others)
        )

    def join(self, viewer: Viewer, head: bytes, first: Picture | None) -> None:
        """Take a viewer in: send `head`, and `first` if there is anything to show."""
        viewer.owner = self
        self._tally.joined()
        self._viewers[viewer] = self._others[viewer] = None
        viewer.base = self.progress.published
        viewer.seen = self._number
        shown = b""
        if first is not None and first is self.newest:
            viewer.base -= 1
            viewer.sent += 1
            viewer.captured_ns = first.captured_ns
            if viewer.rate_limiter is not None:
                viewer.rate_limiter.admit(first.captured_ns, 0)
            shown = self._part(first, viewer.style)
        elif first is not None:
            shown = part(first, viewer.style, self._clock())
        viewer.push(head + opening(viewer.style) + shown)
        viewer.share(shown)
        self._regroup(viewer)

    def state_of(self, viewer: Viewer) -> ViewerState:
        """Return what a viewer takes along to another worker."""
        sent, skipped, waiting, bytes_sent = self.delivery(viewer)
        return ViewerState(
            camera=self._camera,
            states=False,
            sent=sent,
            skipped=skipped,
            waiting=waiting,
            lineage=self._lineage,
            sequence=self.newest.sequence if self.newest is not None else 0,
            captured_ns=self._captured_ns(viewer),
            **viewer_fields(viewer, bytes_sent),
        )

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker serves on."""
        self._tally.moved_out(self.delivery(viewer))
        self._forget(viewer)

    def move_in(self, viewer: Viewer, viewer_state: ViewerState) -> None:
        """Take in a viewer that another worker has served, and go on where that has stopped."""
        viewer.owner = self
        delivery = Delivery(
            viewer_state.sent, viewer_state.skipped, viewer_state.waiting, viewer_state.bytes_sent
        )
        self._tally.moved_in(delivery)
        self._viewers[viewer] = self._others[viewer] = None
        passed = self._passed(viewer_state)
        published = viewer_state.sent + viewer_state.skipped + viewer_state.waiting + passed
        viewer.base = self.progress.published - published
        viewer.sent = viewer_state.sent
        viewer.captured_ns = viewer_state.captured_ns
        news = bool(passed or viewer_state.waiting)
        viewer.seen = self._number - news
        if viewer.rest is None and news:
            self._offer(viewer)
        self._regroup(viewer)

    def drained(self, viewer: Viewer) -> None:
        """Give a viewer that was busy the newest frame, if it is a newer one."""
        if viewer.seen != self._number:
            self._offer(viewer)
        self._regroup(viewer)

    def left(self, viewer: Viewer, why: Closed) -> None:
        """Forget a viewer whose socket is closed."""
        self._tally.left(self.delivery(viewer), why)
        self._forget(viewer)

    def _forget(self, viewer: Viewer) -> None:
        del self._viewers[viewer]
        self._others.pop(viewer, None)
        self._in_step.remove(viewer)
        if not self._viewers:
            self._on_empty()

    def close(self, why: Closed) -> None:
        """Close all viewers."""
        for viewer in self.viewers:
            viewer.close(why)

    def close_stalled(self, now: int) -> None:
        """Close those that have stopped taking."""
        for viewer in tuple(self._others):  # those in step have nothing under way
            if viewer.stalled(now):
                viewer.close(Closed.STALLED)

    def deliver(
        self, newest: Picture, *, published: int, interval_ns: int, lineage: int = 0
    ) -> None:
        """Hand a new frame to all who can take it.

        `published` counts the camera's frames up to this one, also those never seen here;
        `interval_ns` is 0 when unknown; `lineage` is the ring's, in which its sequence counts.
        """
        self._newest, self._pumped = newest, None
        self.progress.captured_ns = newest.captured_ns
        self.progress.published = published
        self._lineage = lineage
        self._interval_ns = interval_ns
        self._parts.clear()
        self._number += 1
        for viewer in tuple(self._others):
            if viewer.rest is None:  # else `drained` comes back to it
                self._offer(viewer)
        self._keep_rests(newest.plain, self._in_step.send(newest.plain))
        self._tally.aged(self._clock() - newest.captured_ns)

    @property
    def in_step(self) -> tuple[Viewer, ...] | None:
        """All viewers, the same ones as long as it is the same, if all are in step; else None."""
        return None if self._others else self._in_step.order

    def pumped(self, make: Callable[[], Picture], short: list[tuple[int, int]]) -> None:
        """Take note of frames that were handed to all, who were in step, and were counted.

        `make` returns the newest, of which `short` did not take all, as a Broadcast tells.
        """
        self._pumped = make
        self._parts.clear()
        self._number += 1
        if short and (newest := self.newest) is not None:
            self._keep_rests(newest.plain, self._in_step.fell_behind(short, len(newest.plain)))

    def _keep_rests(self, plain: bytes, behind: list[tuple[Viewer, int]]) -> None:
        """Have the newest frame under way for those who took so many bytes of it."""
        for viewer, count in behind:
            self._note_fell_behind(viewer)
            if count < 0:
                viewer.close(closed_by(-count))
            else:
                viewer.keep(plain, count)

    def repeat(self) -> None:
        """Send the newest frame again to those who asked for that before a pause."""
        if (newest := self.newest) is None:
            return
        for viewer in self.viewers:
            if viewer.dual_final and viewer.rest is None:
                viewer.push(self._part(newest, viewer.style))
                self._regroup(viewer)

    def show(self, picture: Picture, *, due_ns: int) -> None:
        """Send something that is no new frame to all who can take it.

        One that asked for fewer frames gets it if `due_ns` from now its next one would be due.
        """
        now = self._clock()
        made: dict[Style, bytes] = {}
        for viewer in self.viewers:
            if viewer.rest is not None:
                continue
            if viewer.rate_limiter is not None and not viewer.rate_limiter.admit(now, due_ns):
                continue
            if viewer.style not in made:
                made[viewer.style] = part(picture, viewer.style, now)
            viewer.push(made[viewer.style])
            self._regroup(viewer)

    def _passed(self, viewer_state: ViewerState) -> int:
        """How many frames were published between another worker's newest frame and this one's."""
        sequence = self.newest.sequence if self.newest is not None else 0
        if viewer_state.lineage == self._lineage:
            return max(0, sequence - viewer_state.sequence)
        return sequence  # it counts anew

    def _note_fell_behind(self, viewer: Viewer) -> None:
        """Have a viewer among the others, with what it had in common with those in step."""
        self._others[viewer] = None
        viewer.seen = self._number
        viewer.captured_ns = self.progress.captured_ns

    def _regroup(self, viewer: Viewer) -> None:
        """Put a viewer where it belongs by now: in step, or among the others.

        One that has left is in neither, and stays out.
        """
        plain = viewer.style is Style.PLAIN and viewer.rate_limiter is None
        keeps_up = plain and viewer.rest is None
        if keeps_up and viewer in self._others:
            del self._others[viewer]
            self._in_step.add(viewer)
        elif not keeps_up and viewer in self._in_step:
            self._in_step.remove(viewer)
            self._note_fell_behind(viewer)

    def _offer(self, viewer: Viewer) -> None:
        """Send the newest frame to one viewer, unless that asked for fewer."""
        viewer.seen = self._number
        newest = self.newest
        if newest is None:
            return
        if viewer.rate_limiter is not None and not viewer.rate_limiter.admit(
            newest.captured_ns, self._interval_ns
        ):
            return
        viewer.sent += 1
        viewer.captured_ns = newest.captured_ns
        viewer.push(self._part(newest, viewer.style))

    def _part(self, newest: Picture, style: Style) -> bytes:
        """Return the newest frame as a part, made once per style."""
        data = self._parts.get(style)
        if data is None:
            data = self._parts[style] = part(newest, style, self._clock())
        return data
