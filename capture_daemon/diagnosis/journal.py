"""Incidents on disk: one JSON document a line, the newest line of an incident counts. Bounded.

A line may be cut off (SIGKILL, a full disk), or be somebody else's: what is no incident is passed
over. Several daemons may share a file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from framebus.trusted_files import lies_at

KEPT = 200
"""Incidents that stay when the file is cut."""
BYTES_MAX = 1 << 20
_READ_MAX = 2 * BYTES_MAX  # of a file that is larger (not written here), its end is read
_APPENDING = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MODE = 0o640
_LOCK_TRIES = 20
_LOCK_EVERY_S = 0.05  # another daemon needs a millisecond for a line


class Journal:
    """One camera's incidents. The directory and the file are made when the first is written."""

    def __init__(self, path: Path, *, kept: int = KEPT, bytes_max: int = BYTES_MAX) -> None:
        self.path = path
        self._kept = kept
        self._bytes_max = bytes_max

    def append(self, document: Mapping[str, object]) -> None:
        """Write one line, and cut the file first if it has grown too long. Raises OSError.

        After an error the file is as it was.
        """
        line = _line(document)
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with self._locked() as fd:
            size = os.fstat(fd).st_size
            if size and size + len(line) > self._bytes_max:
                self._replace([*self._merged(_tail(fd)), document])
                return
            if size and os.pread(fd, 1, size - 1) != b"\n":
                line = b"\n" + line  # what a killed daemon has left of its last line
            _write_whole(fd, line, size)

    def read(self) -> list[dict[str, object]]:
        """Return the incidents, oldest first; none if there is no file. Raises OSError."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return []
        try:
            _check_regular(fd)
            return self._merged(_tail(fd))
        finally:
            os.close(fd)

    def _merged(self, text: bytes) -> list[dict[str, object]]:
        """Return the newest line of each incident, in the order in which they were first written.

        Not in that of their times: the time of day may be set back.
        """
        latest = {str(each["id"]): each for each in parse(text)}
        return list(latest.values())[-self._kept :]

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file under a lock; another daemon may just have replaced it."""
        while True:
            fd = os.open(self.path, _APPENDING, _MODE)
            try:
                _check_regular(fd)
                _lock(fd)
                if lies_at(self.path, fd):
                    yield fd
                    return
            finally:
                os.close(fd)

    def _replace(self, documents: list[dict[str, object] | Mapping[str, object]]) -> None:
        """Write a new file of the newest incidents, at most half as long as it may become."""
        lines: list[bytes] = []
        room = self._bytes_max // 2
        for document in reversed(documents[-self._kept :]):
            line = _line(document)
            room -= len(line)
            if room < 0 and lines:
                break
            lines.append(line)
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            with open(
                partial, "wb", opener=lambda path, flags: os.open(path, flags, _MODE)
            ) as file:
                file.writelines(reversed(lines))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise


def parse(text: bytes) -> Iterable[dict[str, object]]:
    """Yield what is an incident among these lines; everything else is passed over."""
    for line in text.split(b"\n"):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if (
            isinstance(document, dict)
            and isinstance(document.get("id"), str)
            and isinstance(document.get("began_utc_ns"), int)
        ):
            yield document


def _line(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _check_regular(fd: int) -> None:
    """Raise OSError for a FIFO, a directory or a device in the file's place."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file: remove it")


def _lock(fd: int) -> None:
    """Lock the file as its writers do. Raises OSError: whoever may read it could keep it locked."""
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_EVERY_S)
        else:
            return
    raise OSError(errno.EAGAIN, "another process keeps it locked")


def _tail(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    return os.pread(fd, _READ_MAX, max(0, size - _READ_MAX))


def _write_whole(fd: int, text: bytes, size: int) -> None:
    """Append all of `text` to a file of `size` bytes, or leave it as it was. Raises OSError."""
    left = memoryview(text)
    try:
        while left:
            left = left[os.write(fd, left) :]
    except OSError:
        os.ftruncate(fd, size)
        raise
