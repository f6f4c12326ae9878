"""What a camera that was named by a mere number is called once it has been open.

/dev/video0 says which node, not which camera: while somebody still has the old node open, a camera
that was unplugged or reset comes back as /dev/video1. So what the number meant when it was opened
is remembered by serial number, else by port, and looked for first.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2 import discovery

_NUMBERED = re.compile(r"/dev/video\d+")


def stable_name_of(node: str) -> str:
    """Return the name that the camera at `node` keeps. Raises SourceError."""
    return discovery.stable_name(discovery.rdev(node))


class StableName:
    """A name as a person gave it, and the camera that it meant."""

    def __init__(
        self,
        given: str,
        *,
        resolve: Callable[[str], str] = discovery.resolve,
        lookup: Callable[[str], str] = stable_name_of,
    ) -> None:
        self._given = given
        self._resolve = resolve
        self._lookup = lookup
        self._stable = ""

    def node(self) -> str:
        """Return the node that it means now. Raises SourceError when there is none.

        Another camera at the given number is taken only when the one that was there is away.
        """
        if self._stable:
            with contextlib.suppress(SourceError):
                return self._resolve(self._stable)
        return self._resolve(self._given)

    def opened(self, node: str) -> None:
        """The camera at `node` was opened: a number means that one from now on."""
        if _NUMBERED.fullmatch(self._given):
            with contextlib.suppress(SourceError):
                self._stable = self._lookup(node)
