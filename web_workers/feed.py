"""The fan-out of one camera's frames to one worker's viewers.

A feed is parked (no ring mapped, no socket, no timer) until its first viewer joins and again when
the last one left. Awake, it takes each frame once, makes one `bytes` of it per style, and hands
that to every viewer that is not still receiving an older one. A timer looks after what no hint
tells: frames whose hint was lost, new epochs, pauses, and viewers that stopped taking.

Runs in the worker's main thread.
"""

from __future__ import annotations

import select
from collections.abc import Callable

import zmq
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.notify import silence_s

from web_workers.cause import fresh_for_ns
from web_workers.link import RingLink
from web_workers.loop import StreamLoop, Timer
from web_workers.pack import Pack
from web_workers.parts import Picture, Style, opening, part
from web_workers.placeholder import Notice
from web_workers.scores import FRAMES, Closed, Scores
from web_workers.tally import Account, Tally
from web_workers.viewer import Viewer, closed_by

FILL_NS = 850_000_000
"""After so long without output something is sent: the old part, or a placeholder. With the tick
and the painting that makes at least one a second."""
_TICK_MAX_NS = 100_000_000

Paint = Callable[[Notice, Callable[[bytes], None]], None]


class Feed:
    """One camera's viewers in one worker."""

    def __init__(
        self,
        *,
        names: CameraNames,
        context: zmq.Context[zmq.Socket[bytes]],
        loop: StreamLoop,
        paint: Paint,
    ) -> None:
        """`paint` makes a placeholder and calls back in the loop's thread."""
        self._names = names
        self._context = context
        self._loop = loop
        self._paint = paint
        self._viewers: dict[Viewer, None] = {}  # in order of joining
        self._pack = Pack()  # those of them that take every frame and keep up
        self._others: dict[Viewer, None] = {}  # all the others
        self._tally = Tally()
        self._link: RingLink | None = None
        self._descriptor = -1
        self._timer: Timer | None = None
        self._rest_state()

    def _rest_state(self) -> None:
        """Forget everything about frames."""
        self._picture: Picture | None = None  # the newest frame
        self._placeholder: Picture | None = None  # what stands in for it now
        self._parts: dict[Style, bytes] = {}  # of the newest frame
        self._number = 0  # counts the frames taken
        self._taken_ns = 0  # when the newest frame was taken
        self._output_ns = 0  # when anything was last sent to all
        self._painting = False
        self._paused = False  # dual_final viewers have had their second copy

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
        picture = self._picture
        in_pack = picture is not None and viewer in self._pack
        captured_ns = picture.captured_ns if picture and in_pack else viewer.captured_ns
        return self._loop.clock() - captured_ns if captured_ns else None

    def scores(self) -> Scores:
        """Return what its viewers came to, those that have left included."""
        present = (self.account(viewer) for viewer in self._viewers)
        return self._tally.scores(self._names.camera, FRAMES, present)

    @property
    def published(self) -> int:
        """Frames that the camera published while the feed was awake."""
        return self._link.published if self._link is not None else 0

    def join(self, viewer: Viewer, head: bytes) -> None:
        """Take a viewer in: send `head` and the newest picture at once."""
        if self._link is None:
            self._wake()
        viewer.belong(self)
        self._tally.joined()
        self._viewers[viewer] = self._others[viewer] = None
        viewer.base = self.published
        viewer.seen = self._number
        first = head + opening(viewer.style)
        if self._picture is not None and self._fresh(self._loop.clock()):
            viewer.base -= 1
            viewer.sent += 1
            viewer.captured_ns = self._picture.captured_ns
            if viewer.thinner is not None:
                viewer.thinner.admit(self._picture.captured_ns, 0)
            viewer.push(first + self._part(self._picture, viewer.style))
        elif self._placeholder is not None:
            viewer.push(first + part(self._placeholder, viewer.style, self._loop.clock()))
        else:
            viewer.push(first)
            self._ask_for_placeholder(self._loop.clock())
        self._regroup(viewer)

    def drained(self, viewer: Viewer) -> None:
        """Give a viewer that was busy the newest frame, if it is a newer one."""
        if viewer.seen != self._number:
            self._offer(viewer)
        self._regroup(viewer)

    def left(self, viewer: Viewer, why: Closed) -> None:
        """Forget a viewer; without viewers, park."""
        self._tally.left(self.account(viewer), why)
        del self._viewers[viewer]
        self._others.pop(viewer, None)
        self._pack.remove(viewer)
        if not self._viewers:
            self._park()

    def close(self) -> None:
        """Close all viewers, and so park."""
        for viewer in self.viewers:
            viewer.close(Closed.ENDED)

    def _wake(self) -> None:
        self._link = RingLink(self._names, self._context)
        self._descriptor = self._link.descriptor
        self._loop.add(self._descriptor, select.EPOLLIN, self._hinted)
        self._tick()

    def _park(self) -> None:
        if self._link is None:
            return
        self._loop.remove(self._descriptor)
        self._link.close()
        self._link = None
        if self._timer is not None:
            self._timer.cancel()
        self._rest_state()

    def _hinted(self, _events: int) -> None:
        if self._link is not None:
            frame = self._link.heard()
            if frame is not None:
                self._deliver(frame)

    def _deliver(self, frame: Frame) -> None:
        """Hand a new frame to all who can take it."""
        picture = self._picture = Picture.of(frame)
        self._placeholder = None
        self._parts.clear()
        self._number += 1
        self._taken_ns = self._output_ns = self._loop.clock()
        self._paused = False
        plain = self._part(picture, Style.PLAIN)
        for viewer in tuple(self._others):
            if viewer.rest is None:  # else `drained` comes back to it
                self._offer(viewer)
        for viewer, count in self._pack.send(plain):
            self._note_left_pack(viewer, picture)
            if count < 0:
                viewer.close(closed_by(-count))
            else:
                viewer.keep(plain, count)
        self._tally.aged(self._loop.clock() - picture.captured_ns)

    def _note_left_pack(self, viewer: Viewer, newest: Picture | None) -> None:
        """Have a viewer among the others, with what it had in common with the pack."""
        self._others[viewer] = None
        viewer.seen = self._number
        viewer.captured_ns = newest.captured_ns if newest is not None else 0

    def _regroup(self, viewer: Viewer) -> None:
        """Put a viewer where it belongs by now: into the pack, or among the others."""
        if viewer.fileno() < 0:
            return  # it has left
        plain = viewer.style is Style.PLAIN and viewer.thinner is None
        keeps_up = plain and viewer.rest is None
        if keeps_up and viewer in self._others:
            del self._others[viewer]
            self._pack.add(viewer)
        elif not keeps_up and viewer in self._pack:
            self._pack.remove(viewer)
            self._note_left_pack(viewer, self._picture)

    def _offer(self, viewer: Viewer) -> None:
        """Send the newest frame to one viewer, unless that asked for fewer."""
        viewer.seen = self._number
        picture = self._picture
        if picture is None or self._link is None:
            return
        if viewer.thinner is not None and not viewer.thinner.admit(
            picture.captured_ns, self._link.interval_ns
        ):
            return
        viewer.sent += 1
        viewer.captured_ns = picture.captured_ns
        viewer.push(self._part(picture, viewer.style))

    def _part(self, newest: Picture, style: Style) -> bytes:
        """Return the newest frame as a part, made once per style."""
        data = self._parts.get(style)
        if data is None:
            data = self._parts[style] = part(newest, style, self._loop.clock())
        return data

    def _tick(self) -> None:
        """Look after everything that no hint tells."""
        link = self._link
        if link is None:
            return
        silence_ns = round(silence_s(link.interval_ns) * 1e9)
        now = self._loop.clock()
        if now - self._taken_ns >= silence_ns:
            frame = link.look()
            if frame is not None:
                self._deliver(frame)
            else:
                self._pause(now, silence_ns)
        for viewer in tuple(self._others):  # the pack has nothing under way
            if viewer.stalled(now):
                viewer.close(Closed.STALLED)
        if self._link is not None:  # the last viewer may have left
            self._timer = self._loop.call_at(now + min(silence_ns, _TICK_MAX_NS), self._tick)

    def _pause(self, now: int, silence_ns: int) -> None:
        """No frame came when one was due."""
        picture = self._picture
        if not self._paused and picture is not None:
            self._paused = True
            for viewer in self.viewers:
                if viewer.dual_final and viewer.rest is None:
                    viewer.push(self._part(picture, viewer.style))
                    self._regroup(viewer)
        if not self._fresh(now):
            if now - self._output_ns >= FILL_NS:
                self._ask_for_placeholder(now)
        elif now - self._output_ns >= max(FILL_NS, silence_ns) and picture is not None:
            self._show(picture, now)

    def _fresh(self, now: int) -> bool:
        if self._picture is None or self._link is None:
            return False
        return now - self._picture.captured_ns <= fresh_for_ns(self._link.interval_ns)

    def _show(self, picture: Picture, now: int) -> None:
        """Send something that is no new frame to all who can take it."""
        self._output_ns = now
        made: dict[Style, bytes] = {}
        for viewer in self.viewers:
            if viewer.rest is not None:
                continue
            if viewer.thinner is not None and not viewer.thinner.admit(now, FILL_NS):
                continue
            if viewer.style not in made:
                made[viewer.style] = part(picture, viewer.style, now)
            viewer.push(made[viewer.style])
            self._regroup(viewer)

    def _ask_for_placeholder(self, now: int) -> None:
        link = self._link
        if self._painting or link is None:
            return
        self._painting = True
        last = self._picture
        cause = link.cause()
        self._paint(
            Notice.of(
                self._names.camera,
                cause.message,
                cause.remedy,
                jpeg=last.jpeg if last is not None else None,
                age_s=(now - last.captured_ns) / 1e9 if last is not None else 0.0,
            ),
            lambda jpeg: self._painted(jpeg, cause.code, link, last),
        )

    def _painted(self, jpeg: bytes, code: str, link: RingLink, last: Picture | None) -> None:
        """Show a placeholder, if it is still what there is to show."""
        if link is not self._link:
            return  # parked meanwhile
        self._painting = False
        now = self._loop.clock()
        if last is not self._picture or self._fresh(now):
            return
        self._placeholder = Picture.stand_in(jpeg, code, last)
        self._show(self._placeholder, now)
