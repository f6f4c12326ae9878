"""The `file` source: a recording (.mjpeg, .avi) or a directory of JPEGs, played in a loop.

What a file is, its content says and not its name. It is opened anew for each loop, so that one
which is replaced meanwhile is taken up; no descriptor stays open on a directory's pictures. Other
recordings are for the `ffmpeg` source.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from capture_daemon.sources import jpeg
from capture_daemon.sources.avi import AviError, AviReader
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    Request,
    SourceError,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.pacing import FASTEST, Pacer, checked_fps
from capture_daemon.sources.splitter import LARGEST_FRAME, JpegSplitter

DEFAULT_FPS = 25.0
"""For what has no rate of its own; ffmpeg plays such files at this rate too."""

_PIECE = 256 << 10
_SUFFIXES = frozenset({".jpg", ".jpeg"})

_Frames = Generator[bytes, None, None]


@dataclass(frozen=True, slots=True)
class _Pass:
    """One run from the first picture to the last."""

    frames: _Frames
    fps: float
    """By the file's own word; 0 if it does not say."""


@dataclass(slots=True)
class _Playing:
    """What exists between open and close."""

    frames: _Frames
    pacer: Pacer
    pending: bytes | None
    """The first picture, read by `open` to prove that there is one."""
    sequence: int = 0


class FileSource:
    """Plays one path. Pictures are passed on as they are, the damaged ones too."""

    def __init__(self, path: str, request: Request, interrupt: Interrupt) -> None:
        self._path = Path(os.path.expanduser(path))  # Path's own raises for a user there is not
        self._request = request
        self._interrupt = interrupt
        self._playing: _Playing | None = None

    def open(self) -> Granted:
        """Find the first picture. Raises SourceUnusable: none is there, or none can be read."""
        self.close()
        checked_fps(self._request.fps, DEFAULT_FPS)
        begun = self._begin()
        frames = begun.frames
        try:
            first = self._first(frames)
        except SourceError:
            frames.close()
            raise
        own = begun.fps if 0 < begun.fps <= FASTEST else DEFAULT_FPS
        fps = checked_fps(self._request.fps, own)
        self._playing = _Playing(frames, Pacer(fps, self._interrupt), first)
        width, height = jpeg.size(first)
        return Granted("MJPG", width, height, fps, device=str(self._path))

    def read(self, timeout_s: float) -> Captured | None:
        """Wait until the next picture is due. Raises SourceGone: the file went away."""
        playing = self._playing
        if playing is None:
            raise SourceGone("not-open", "the file is not open", remedy="open it first")
        if playing.pacer.wait(timeout_s) is None:
            return None
        captured_ns = time.monotonic_ns()
        data, playing.pending = playing.pending, None
        if data is None:
            data = self._next(playing)
        playing.sequence += 1
        width, height = jpeg.size(data)
        return Captured(data, captured_ns, playing.sequence, width=width, height=height)

    def close(self) -> None:
        """Close the file."""
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.frames.close()

    def _next(self, playing: _Playing) -> bytes:
        try:
            data = self._advance(playing.frames)
            if data is None:
                playing.frames = self._begin().frames
                data = self._first(playing.frames)
        except SourceUnusable as error:  # it was usable, so it may be again
            raise SourceGone(
                error.code, error.message, remedy=error.remedy, errno=error.errno
            ) from error
        return data

    def _first(self, frames: _Frames) -> bytes:
        first = self._advance(frames)
        if first is None:
            raise SourceUnusable(
                "no-jpeg",
                f"there is no JPEG in {self._path}",
                remedy="name an .mjpeg or .avi recording or a directory of .jpg files",
            )
        return first

    def _advance(self, frames: _Frames) -> bytes | None:
        try:
            return next(frames, None)
        except OSError as error:
            raise self._failed(error) from error
        except AviError as error:
            raise self._not_playable(error) from error

    def _begin(self) -> _Pass:
        """Open the path for one pass, by what it is now."""
        try:
            mode = self._path.stat().st_mode
            if stat.S_ISDIR(mode):
                return _Pass(_directory(self._path), 0.0)
            if stat.S_ISREG(mode):
                return self._recording()
        except OSError as error:
            raise self._failed(error) from error
        raise SourceUnusable(
            "not-a-file",
            f"{self._path} is neither a file nor a directory",
            remedy="a device is --source v4l2:DEVICE; a pipe or socket is --source ffmpeg:PATH",
        )

    def _recording(self) -> _Pass:
        with self._path.open("rb") as file:
            head = file.read(len(jpeg.SOI))
            if head in (b"", jpeg.SOI):
                return _Pass(_concatenated(self._path), 0.0)
            try:
                fps = AviReader(file).fps
            except AviError as error:
                raise self._not_playable(error) from error
        return _Pass(_avi(self._path), fps)

    def _not_playable(self, error: AviError) -> SourceUnusable:
        return SourceUnusable(
            "no-motion-jpeg",
            f"{self._path} cannot be played: {error}, and it does not begin as a JPEG",
            remedy="let ffmpeg decode it: write ffmpeg: in place of file:",
        )

    def _failed(self, error: OSError) -> SourceError:
        reason = error.strerror or str(error)
        match error:
            case FileNotFoundError():
                code, remedy = (
                    "no-such-file",
                    "check the path; it is relative to where framebus runs",
                )
            case PermissionError():
                code, remedy = "no-permission", f"let user id {os.geteuid()} read it"
            case _:
                code, remedy = "unreadable", "check the file system that holds it"
        return SourceUnusable(
            code, f"cannot read {self._path}: {reason}", remedy=remedy, errno=error.errno or 0
        )


def _concatenated(path: Path) -> _Frames:
    splitter = JpegSplitter()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield from splitter.feed(piece)
    if rest := splitter.flush():
        yield rest


def _avi(path: Path) -> _Frames:
    with path.open("rb") as file:
        yield from AviReader(file).frames()


def _directory(path: Path) -> _Frames:
    """Yield the pictures in the order of their names; those that vanish meanwhile are not there."""
    names = sorted(entry.name for entry in path.iterdir() if entry.suffix.lower() in _SUFFIXES)
    for name in names:
        if not (path / name).is_file():  # opening a pipe would wait for who writes into it
            continue
        try:
            with (path / name).open("rb") as file:
                data = file.read(LARGEST_FRAME)
        except FileNotFoundError:
            continue
        yield data
