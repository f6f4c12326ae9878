"""The pictures of a directory, in the natural order of their names, again and again.

What appears and vanishes while they are played is seen: within a second where it stands further on
in the order, else at the next pass. Subdirectories, pipes and devices are no pictures, whatever
their names. What cannot be shown is named in the log, once.
"""

from __future__ import annotations

import logging
import os
import re
import time
from bisect import bisect_right
from pathlib import Path

from framebus.errors import SHORTAGES

from capture_daemon.sources.file.picture import TOO_LARGE, Picture, Pictures
from capture_daemon.sources.file.regular import Identity, NotRegularError, identify, open_regular
from capture_daemon.sources.pictures.splitter import LARGEST_FRAME

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"})
_MOST_NAMED = 50
"""Names in the log; a directory of a million other files shall not fill a disk."""
_MOST_KNOWN = 10_000
_LOOK_S = 1.0

_Key = tuple[tuple[str | int, ...], str]
_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> _Key:
    """Return what to sort a name by so that img2 comes before img10, and B after a."""
    pieces = _DIGITS.split(name.lower())
    return tuple(int(piece) if at % 2 else piece for at, piece in enumerate(pieces)), name


class Directory:
    """One directory; what was found wrong in it is remembered from pass to pass."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: list[_Key] = []
        self._listed: Identity | None = None
        """What it was when it was listed; None: it may have changed since without a trace."""
        self._look_s = 0.0
        self._last: _Key | None = None
        """Where a pass was when it was broken off."""
        self._named: set[str] = set()
        self._known: dict[str, tuple[Identity, Picture]] = {}
        """What is wrong with pictures, so that they need not be read at each pass; of sound ones,
        whose scan need not be searched again, without their bytes."""

    def pictures(self) -> Pictures:
        """Yield each picture once, judged, from where the pass before was broken off.

        Raises OSError: the directory cannot be read, or there is no descriptor to read with.
        """
        self._list()
        begun_after = self._last
        yield from self._after(begun_after, None)
        if begun_after is not None:
            yield from self._after(None, begun_after)
        self.rewind()

    def rewind(self) -> None:
        """Let the next pass begin with the first picture."""
        self._last = None

    def _after(self, key: _Key | None, last: _Key | None) -> Pictures:
        """Yield the pictures after `key` up to `last`; None for the first, and for the last."""
        while True:
            at = 0 if key is None else bisect_right(self._keys, key)
            if at == len(self._keys) or (last is not None and self._keys[at] > last):
                return
            key = self._last = self._keys[at]
            picture = self._read(key[1])
            if picture is not None:
                yield picture
            self._look()

    def _list(self) -> None:
        with os.scandir(self._path) as entries:
            found = Identity.of(self._path.stat())
            names = [entry.name for entry in entries if _is_picture(entry.name)]
        self._keys = sorted(map(natural_key, names))
        self._listed = found if found.settled() else None
        self._look_s = time.monotonic() + _LOOK_S

    def _look(self) -> None:
        """List again if something has come or gone; one look a second."""
        if time.monotonic() < self._look_s:
            return
        self._look_s = time.monotonic() + _LOOK_S
        if Identity.of(self._path.stat()) != self._listed:
            self._list()

    def _read(self, name: str) -> Picture | None:
        """Return a picture, judged; None if there is none of that name (any more)."""
        path = self._path / name
        try:
            identity = identify(path)
            known = self._known.get(name)
            if known is not None and known[0] != identity:
                known = None
            if known is not None and known[1].reason:
                return known[1]
            picture = _read(path, identity, thorough=known is None)
        except (FileNotFoundError, NotRegularError):
            return None
        except OSError as error:
            if error.errno in SHORTAGES:
                raise  # it says nothing of the picture
            picture = Picture(b"", "unreadable", error=error)
        else:
            self._remember(name, identity, picture)
        if picture.reason:
            self._tell(name, picture)
        return picture

    def _remember(self, name: str, identity: Identity, picture: Picture) -> None:
        if identity.settled() and len(self._known) < _MOST_KNOWN:
            self._known[name] = identity, Picture(b"", picture.reason)
        else:
            self._known.pop(name, None)

    def _tell(self, name: str, picture: Picture) -> None:
        if name in self._named or len(self._named) >= _MOST_NAMED:
            return
        self._named.add(name)
        log.warning("%r is passed over (%s): %s", name, picture.reason, picture.sentence)
        if len(self._named) == _MOST_NAMED:
            log.warning("further pictures of %r are passed over without a word", str(self._path))


def _is_picture(name: str) -> bool:
    # A name with a dot before it is another program's own: half an upload, or no picture at all.
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")


def _read(path: Path, identity: Identity, *, thorough: bool) -> Picture:
    if identity.size > LARGEST_FRAME:
        return TOO_LARGE
    with open_regular(path) as file:
        data = file.read(identity.size + 1)  # one that grows meanwhile was not whole
    return Picture.of(data, thorough=thorough)
