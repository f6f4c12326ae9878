"""The `file` source: a picture, a recording (.mjpeg, .avi) or a directory of JPEGs, in a loop.

A picture that is not there, or only half, costs the tick at which it was due: programs rewrite
files in place. The source is gone when it has shown nothing for some seconds. Other recordings are
for the `ffmpeg` source.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

from capture_daemon.native.library import FastPath, PacedOutcome
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    Request,
    SourceError,
    SourceGone,
)
from capture_daemon.sources.file import errors
from capture_daemon.sources.file.avi import AviError
from capture_daemon.sources.file.directory import Directory
from capture_daemon.sources.file.frame_index import IndexedPass, is_picture
from capture_daemon.sources.file.picture import EMPTY, Picture, Pictures
from capture_daemon.sources.file.recording import Pass, Recording
from capture_daemon.sources.paced import PacedFrames
from capture_daemon.sources.pacing import FASTEST, Pacer, checked_fps

DEFAULT_FPS = 25.0
"""For what has no rate of its own; ffmpeg plays such files at this rate too."""
AWAY_S = 5.0
"""How long nothing may be shown, and three ticks at least: what a program takes to write a picture
over a network, or to put another in its place."""
_MOST_LOST = 3
"""Ticks in a row that pictures cost; then those that cannot be shown are skipped."""
_SKIPPED = 256
"""So many at one tick, and more while there is time:"""
_SKIP_S = 0.25
"""so long, half a tick at most. The good one behind thousands of them is reached all the same."""
_UNREADABLE = Picture(b"", "unreadable")
"""What a tick has at which the pass could not go on; the next one begins another."""


@dataclass(slots=True)
class _Playing:
    """What exists between open and close."""

    pictures: Pictures
    pacer: Pacer
    paced: PacedFrames
    pending: Picture | None
    """The first picture, read by `open` to prove that there is one."""
    shown_s: float = field(default_factory=time.monotonic)
    """When a tick last had a picture."""
    sequence: int = 0
    lost: int = 0
    """Ticks in a row that had none."""
    failure: SourceError | None = None
    """Why the last pass could not go on."""


class FileSource:
    """Plays one path. What cannot be shown is passed on as rejected, for the books."""

    def __init__(
        self, path: str, request: Request, interrupt: Interrupt, *, away_s: float = AWAY_S
    ) -> None:
        self._path = Path(os.path.expanduser(path))  # Path's own raises for a user there is not
        self._request = request
        self._interrupt = interrupt
        self._away_s = away_s
        self._directory = Directory(self._path)
        self._recording = Recording(self._path)
        self._was_open = False
        self._playing: _Playing | None = None

    def open(self) -> Granted:
        """Find the first picture that can be shown.

        Raises:
            SourceUnusable: nothing is there that can be played.
            SourceGone: the same of what was played before, and may be again.
            SourceError: the same, but it was written to just now.
        """
        self.close()
        fps = checked_fps(self._request.fps, DEFAULT_FPS)
        try:
            begun, first = self._find_first()
        except SourceError as error:
            raise errors.gone(error) if self._was_open else error from error
        if self._request.fps is None and 0 < begun.fps <= FASTEST:
            fps = begun.fps
        pacer = Pacer(fps, self._interrupt)
        paced = PacedFrames(pacer, self._interrupt)
        self._playing = _Playing(begun.pictures, pacer, paced, first)
        self._was_open = True
        return Granted(
            "MJPG",
            first.width,
            first.height,
            fps,
            device=str(self._path),
            jitter_s=self._away_s + 1.0,
        )

    def read(self, timeout_s: float) -> Captured | None:
        """Wait until the next picture is due. Raises SourceGone: none can be shown any more."""
        playing = self._playing
        if playing is None:
            raise SourceGone("not-open", "the file is not open", remedy="open it first")
        if playing.pacer.wait(timeout_s) is None:
            return None
        now_ns = time.monotonic_ns()
        picture, playing.pending = playing.pending, None
        if picture is None:
            picture = self._next(playing)
        self._keep_time(playing, picture, now_ns / 1e9)
        playing.sequence += 1
        return Captured(
            picture.data,
            now_ns,
            playing.sequence,
            width=picture.width,
            height=picture.height,
            reject=picture.reason,
        )

    def read_unusual(self, fast_path: FastPath, timeout_s: float) -> Captured | None:
        """Return the next picture that `fast_path` did not publish by itself, or None likewise."""
        playing = self._playing
        if playing is None or playing.pending or playing.lost:
            return self.read(timeout_s)
        paced, passed = playing.paced, playing.pictures
        if not isinstance(passed, IndexedPass):
            return self.read(timeout_s)
        index = passed.index
        paced.make_room(index.longest)
        state = paced.state
        state.file, state.frames, state.count = passed.fileno(), index.address, len(index)
        state.at, state.sequence = passed.at, playing.sequence
        outcome = paced.show(fast_path, timeout_s)
        passed.at, playing.sequence, playing.shown_s = state.at, state.sequence, time.monotonic()
        if outcome is PacedOutcome.NOTHING:
            return None
        if outcome is PacedOutcome.UNUSUAL and is_picture(paced.frame):
            _, _, size = index[passed.at - 1]
            number, at_ns = state.sequence, state.captured_ns
            width, height = size >> 32, size & 0xFFFFFFFF
            return Captured(paced.frame, at_ns, number, width=width, height=height)
        if outcome is not PacedOutcome.OVER:
            passed.changed()
        return self.read(timeout_s)

    def close(self) -> None:
        """Close the file."""
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.pictures.close()
            if playing.lost < _MOST_LOST:  # else what stands behind them would never be reached
                self._directory.rewind()

    def _find_first(self) -> tuple[Pass, Picture]:
        seen: dict[str, Picture] = {}
        try:
            begun = self._begin()
            for picture in begun.pictures:
                if not picture.reason:
                    return begun, picture
                if self._interrupt.sleep(0):
                    begun.pictures.close()
                    self._directory.rewind()
                    raise SourceGone("interrupted", "opening was interrupted")
                seen.setdefault(picture.sentence, picture)
        except (OSError, AviError) as error:
            raise errors.failed(self._path, error) from error
        if not seen:
            raise errors.nothing_there(self._path)
        raise errors.nothing_to_show(self._path, list(seen.values()))

    def _next(self, playing: _Playing) -> Picture:
        """Return what is due: a picture, or why there is none."""
        picture, skipped, until_s = EMPTY, 0, 0.0
        try:
            while not skipped or skipped < _SKIPPED or time.monotonic() < until_s:
                found = next(playing.pictures, None)
                if found is None:  # the pass is over
                    playing.pictures = self._begin().pictures
                    found = next(playing.pictures, None)
                    if found is None:
                        raise errors.nothing_there(self._path)
                    return found
                picture = found
                if not picture.reason or playing.lost < _MOST_LOST:
                    break
                if not skipped:
                    until_s = time.monotonic() + min(_SKIP_S, playing.pacer.interval_s / 2)
                playing.sequence += 1
                skipped += 1
        except (OSError, AviError) as error:
            picture, playing.failure = _UNREADABLE, errors.failed(self._path, error)
        except SourceError as error:
            picture, playing.failure = _UNREADABLE, error
        return picture

    def _keep_time(self, playing: _Playing, picture: Picture, now_s: float) -> None:
        if not picture.reason:
            playing.shown_s, playing.lost, playing.failure = now_s, 0, None
            return
        playing.lost += 1
        if playing.lost >= _MOST_LOST and now_s - playing.shown_s >= self._away_s:
            failure = playing.failure or errors.nothing_to_show(self._path, [picture])
            raise errors.gone(failure)

    def _begin(self) -> Pass:
        """Begin a pass, by what the path is now. Raises OSError, AviError, SourceUnusable."""
        mode = self._path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Pass(self._directory.pictures(), 0.0)
        if stat.S_ISREG(mode):
            return self._recording.begin()
        raise errors.no_file(self._path, mode)
