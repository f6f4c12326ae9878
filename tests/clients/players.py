"""Programs that show a stream in a window, each with what it shows caught instead.

A player is started with a line of docs/clients.md. What is added only puts its pictures where a
test can look at them: the line's own options are all in force.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.clients.conftest import SIZE
from tests.helpers.multipart import Parser

NO_SCREEN = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
"""What SDL, which ffplay draws with, needs where there is no screen."""


class Player:
    """A running program; leaving the context ends it."""

    home = ""
    user: int | None = None
    group: int | None = None
    """Where its settings are and whom it runs as, if not as the test."""

    def __init__(self, words: Sequence[str], directory: Path) -> None:
        """Start it; `directory` is for what it writes and does not live longer than the test."""
        self.directory = directory
        self.output = directory / "output"
        self.seen: list[int] = []
        """A checksum of each picture that was shown, in order."""
        with self.output.open("wb") as out:
            command = self.command(words)
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env={**os.environ, **NO_SCREEN, "HOME": self.home or os.environ["HOME"]},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                user=self.user,
                group=self.group,
            )

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command line, with what makes its pictures visible to a test."""
        return list(words)

    def look(self) -> None:
        """Append to `seen` what was shown since the last call."""
        raise NotImplementedError

    def shown(self) -> int:
        """Return how many pictures were shown so far, as one that still runs."""
        assert self.process.poll() is None, self.output.read_text(errors="replace")
        self.look()
        return len(self.seen)

    def moves(self) -> bool:
        """Whether it has shown five pictures that differ."""
        return self.shown() >= 5 and len(set(self.seen)) >= 5

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)  # as Ctrl-C does
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Files(Player):
    """One that writes each picture into a file of its own."""

    folder: Path

    def look(self) -> None:
        found = sorted(self.folder.iterdir()) if self.folder.exists() else []
        for path in found[len(self.seen) : -1]:  # the last may not be whole yet
            self.seen.append(zlib.crc32(path.read_bytes()))


class Mpv(Files):
    def command(self, words: Sequence[str]) -> list[str]:
        self.folder = self.directory / "pictures"
        return [*words, "--no-config", "--vo=image", f"--vo-image-outdir={self.folder}"]


class Vlc(Files):
    """VLC does not run as root, so where the test does it runs as nobody."""

    home = "/nonexistent"

    def command(self, words: Sequence[str]) -> list[str]:
        # pytest's directories are for its user alone.
        self.folder = Path(tempfile.mkdtemp(prefix="vlc-"))
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user, self.group = nobody.pw_uid, nobody.pw_gid
            os.chown(self.folder, self.user, self.group)
        caught = ("--vout=dummy", "--video-filter=scene", "--scene-ratio=1")
        return [*words, *caught, f"--scene-path={self.folder}"]

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder)


class Mplayer(Files):
    def command(self, words: Sequence[str]) -> list[str]:
        self.folder = self.directory / "pictures"
        return [*words, "-quiet", "-vo", f"jpeg:outdir={self.folder}"]


class Ffplay(Player):
    """A filter writes a checksum of each picture into the log."""

    def command(self, words: Sequence[str]) -> list[str]:
        return [words[0], "-vf", "showinfo", *words[1:]]

    def look(self) -> None:
        told = re.findall(rb" checksum:([0-9A-F]{8}) ", self.output.read_bytes())
        self.seen = [int(each, 16) for each in told]


class GStreamer(Player):
    """The window is replaced by a file of grey pictures, one after another."""

    def command(self, words: Sequence[str]) -> list[str]:
        at = words.index("autovideosink")
        grey = ("video/x-raw,format=GRAY8", "!", "filesink", "location=grey", "buffer-mode=2")
        return [*words[:at], *grey]

    def look(self) -> None:
        width, height = map(int, SIZE.split("x"))
        file = self.directory / "grey"
        if not file.exists():
            return
        with file.open("rb") as pictures:
            pictures.seek(len(self.seen) * width * height)
            while len(picture := pictures.read(width * height)) == width * height:
                self.seen.append(zlib.crc32(picture))


class Curl(Player):
    """The stream as it is, into the file of its -o, read strictly."""

    def command(self, words: Sequence[str]) -> list[str]:
        self.file = self.directory / words[words.index("-o") + 1]
        self.parser = Parser()
        self.read = 0
        self.placeholders = self.frames = 0
        return list(words)

    def look(self) -> None:
        if not self.file.exists():
            return
        with self.file.open("rb") as stream:
            stream.seek(self.read)
            new = stream.read()
        self.read += len(new)
        for part in self.parser.feed(new):
            self.seen.append(zlib.crc32(part.body))
            self.placeholders += bool(part.placeholder)
            self.frames += not part.placeholder


class Python(Player):
    """A program that prints a line for each picture."""

    def command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-u", *words]

    def look(self) -> None:
        *lines, _ = self.output.read_bytes().split(b"\n")
        self.seen = [zlib.crc32(line) for line in lines]


PLAYERS: Mapping[str, type[Player]] = {
    "curl": Curl,
    "cvlc": Vlc,
    "ffplay": Ffplay,
    "gst-launch-1.0": GStreamer,
    "mplayer": Mplayer,
    "mpv": Mpv,
}
"""By program; the last word of its line, or one of its words, is the stream's address."""
