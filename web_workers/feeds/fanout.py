"""One camera's viewers in one worker, and what each of them is sent and counted.

Makes one `bytes` of a frame per style and hands that to every viewer that is not still receiving
an older one. It knows no ring, no timer and no cause: what there is to show, the feed decides.

Runs in the worker's main thread; `account` and `age_ns` may be called from others.
"""

from __future__ import annotations

from collections.abc import Callable

from web_workers.counts.scores import FRAMES, Closed, Scores
from web_workers.counts.tally import Account, Tally
from web_workers.handover.carried import Carried
from web_workers.handover.luggage import packed_by
from web_workers.viewers.pack import Pack
from web_workers.viewers.rounds import OneByOne, Rounds
from web_workers.viewers.viewer import Viewer, closed_by
from web_workers.wire.parts import Picture, Style, opening, part


class Fanout:
    """Hands pictures to viewers; each takes the newest when it can."""

    def __init__(
        self,
        camera: str,
        *,
        clock: Callable[[], int],
        on_empty: Callable[[], None],
        rounds: Rounds = OneByOne,
    ) -> None:
        """`clock` gives monotonic nanoseconds; `on_empty` is called when the last viewer left.

        `rounds` says how frames are handed to viewers that keep up.
        """
        self._camera = camera
        self._clock = clock
        self._on_empty = on_empty
        self._viewers: dict[Viewer, None] = {}  # in order of joining
        self._pack = Pack(rounds)  # those of them that take every frame and keep up
        self._others: dict[Viewer, None] = {}  # all the others
        self._tally = Tally()
        self.forget()

    def forget(self) -> None:
        """Forget everything about frames, as if none had ever come."""
        self.newest: Picture | None = None
        """The newest frame."""
        self.published = 0
        """How many frames the camera had published by then, delivered or not."""
        self._lineage = 0  # of the ring that it is from
        self._interval_ns = 0
        self._parts: dict[Style, bytes] = {}  # of the newest frame
        self._number = 0  # counts the frames delivered

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those connected now."""
        return tuple(self._viewers)

    def account(self, viewer: Viewer) -> Account:
        """Return what became of the frames since a viewer joined. Any thread."""
        published = self.published  # before `sent`, which may grow meanwhile
        waiting = int(viewer not in self._pack and viewer.seen != self._number)
        sent, bytes_sent = self._pack.counts(viewer)
        skipped = max(0, published - viewer.base - sent - waiting)
        return Account(sent, skipped, waiting, bytes_sent)

    def age_ns(self, viewer: Viewer) -> int | None:
        """Return how old the newest frame is that a viewer was sent, None without. Any thread."""
        captured_ns = self._captured_ns(viewer)
        return self._clock() - captured_ns if captured_ns else None

    def _captured_ns(self, viewer: Viewer) -> int:
        newest = self.newest
        in_pack = newest is not None and viewer in self._pack
        return newest.captured_ns if newest and in_pack else viewer.captured_ns

    def scores(self) -> Scores:
        """Return what its viewers came to, those that have left included."""
        pack = self._pack.total(self.published)
        others = (self.account(viewer) for viewer in self._others)
        return self._tally.scores(self._camera, FRAMES, len(self._viewers), (pack, *others))

    def join(self, viewer: Viewer, head: bytes, first: Picture | None) -> None:
        """Take a viewer in: send `head`, and `first` if there is anything to show."""
        viewer.belong(self)
        self._tally.joined()
        self._viewers[viewer] = self._others[viewer] = None
        viewer.base = self.published
        viewer.seen = self._number
        shown = b""
        if first is not None and first is self.newest:
            viewer.base -= 1
            viewer.sent += 1
            viewer.captured_ns = first.captured_ns
            if viewer.thinner is not None:
                viewer.thinner.admit(first.captured_ns, 0)
            shown = self._part(first, viewer.style)
        elif first is not None:
            shown = part(first, viewer.style, self._clock())
        viewer.push(head + opening(viewer.style) + shown)
        viewer.share(shown)
        self._regroup(viewer)

    def carried(self, viewer: Viewer) -> Carried:
        """Return what a viewer takes along to another worker."""
        sent, skipped, waiting, bytes_sent = self.account(viewer)
        return Carried(
            camera=self._camera,
            states=False,
            sent=sent,
            skipped=skipped,
            waiting=waiting,
            lineage=self._lineage,
            sequence=self.newest.sequence if self.newest is not None else 0,
            captured_ns=self._captured_ns(viewer),
            **packed_by(viewer, bytes_sent),
        )

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker serves on."""
        self._tally.moved_out(self.account(viewer))
        self._forget(viewer)

    def move_in(self, viewer: Viewer, carried: Carried) -> None:
        """Take in a viewer that another worker has served, and go on where that has stopped."""
        viewer.belong(self)
        account = Account(carried.sent, carried.skipped, carried.waiting, carried.bytes_sent)
        self._tally.moved_in(account)
        self._viewers[viewer] = self._others[viewer] = None
        passed = self._passed(carried)
        published = carried.sent + carried.skipped + carried.waiting + passed
        viewer.base = self.published - published
        viewer.sent = carried.sent
        viewer.captured_ns = carried.captured_ns
        news = bool(passed or carried.waiting)
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
        self._tally.left(self.account(viewer), why)
        self._forget(viewer)

    def _forget(self, viewer: Viewer) -> None:
        del self._viewers[viewer]
        self._others.pop(viewer, None)
        self._pack.remove(viewer)
        if not self._viewers:
            self._on_empty()

    def close(self, why: Closed) -> None:
        """Close all viewers."""
        for viewer in self.viewers:
            viewer.close(why)

    def close_stalled(self, now: int) -> None:
        """Close those that have stopped taking."""
        for viewer in tuple(self._others):  # the pack has nothing under way
            if viewer.stalled(now):
                viewer.close(Closed.STALLED)

    def deliver(
        self, newest: Picture, *, published: int, interval_ns: int, lineage: int = 0
    ) -> None:
        """Hand a new frame to all who can take it.

        `published` counts the camera's frames up to this one, those that were never seen here
        included; `interval_ns` is the frame interval, 0 when unknown; `lineage` is the ring's, in
        which the frame's sequence counts.
        """
        self.newest = newest
        self.published = published
        self._lineage = lineage
        self._interval_ns = interval_ns
        self._parts.clear()
        self._number += 1
        for viewer in tuple(self._others):
            if viewer.rest is None:  # else `drained` comes back to it
                self._offer(viewer)
        plain = newest.plain
        for viewer, count in self._pack.send(plain):
            self._note_left_pack(viewer)
            if count < 0:
                viewer.close(closed_by(-count))
            else:
                viewer.keep(plain, count)
        self._tally.aged(self._clock() - newest.captured_ns)

    def repeat(self) -> None:
        """Send the newest frame again to those who asked for that before a pause."""
        newest = self.newest
        if newest is None:
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
            if viewer.thinner is not None and not viewer.thinner.admit(now, due_ns):
                continue
            if viewer.style not in made:
                made[viewer.style] = part(picture, viewer.style, now)
            viewer.push(made[viewer.style])
            self._regroup(viewer)

    def _passed(self, carried: Carried) -> int:
        """How many frames were published between another worker's newest frame and this one's."""
        newest = self.newest
        if newest is None:
            return 0
        if carried.lineage == self._lineage:
            return max(0, newest.sequence - carried.sequence)
        return newest.sequence  # it counts anew

    def _note_left_pack(self, viewer: Viewer) -> None:
        """Have a viewer among the others, with what it had in common with the pack."""
        self._others[viewer] = None
        viewer.seen = self._number
        viewer.captured_ns = self.newest.captured_ns if self.newest is not None else 0

    def _regroup(self, viewer: Viewer) -> None:
        """Put a viewer where it belongs by now: into the pack, or among the others.

        One that has left is in neither, and stays out.
        """
        plain = viewer.style is Style.PLAIN and viewer.thinner is None
        keeps_up = plain and viewer.rest is None
        if keeps_up and viewer in self._others:
            del self._others[viewer]
            self._pack.add(viewer)
        elif not keeps_up and viewer in self._pack:
            self._pack.remove(viewer)
            self._note_left_pack(viewer)

    def _offer(self, viewer: Viewer) -> None:
        """Send the newest frame to one viewer, unless that asked for fewer."""
        viewer.seen = self._number
        newest = self.newest
        if newest is None:
            return
        if viewer.thinner is not None and not viewer.thinner.admit(
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
