"""Whether an input of ffmpeg's is known to be absent, without starting ffmpeg to be told so again.

A start costs 80 ms of processor time, at each try of a source that is dead. A file that is not
there, and a port at which nothing listens, are seen at once. Only servers of RTSP are connected to:
others may serve one connection and end (ffmpeg's -listen), and ours would be that.
"""

from __future__ import annotations

import os
import re
import socket
from urllib.parse import urlsplit

from capture_daemon.sources.ffmpeg.arguments import Arguments, Input
from capture_daemon.sources.remedies import Medium

_PORTS = {"rtsp": 554, "rtsps": 322}
"""As ffmpeg has them."""
_CONNECT_S = 1.0
_PATTERN = re.compile(r"[%*?\[\]]")
"""A name with one of these may stand for several files."""


def is_absent(arguments: Arguments) -> bool:
    """Tell whether one of the inputs is absent for sure. May block for a second."""
    return any(map(_is_absent, arguments.inputs))


def _is_absent(given: Input) -> bool:
    match given.medium:
        case Medium.FILE:
            path = given.text.removeprefix("file:")
            return not _PATTERN.search(path) and not os.path.lexists(path)
        case Medium.NETWORK:
            return _is_refused(given.text)
        case _:
            return False


def _is_refused(url: str) -> bool:
    try:
        parts = urlsplit(url)
        default = _PORTS.get(parts.scheme)
        if default and parts.hostname:
            address = parts.hostname, parts.port or default
            socket.create_connection(address, timeout=_CONNECT_S).close()
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError):
        pass  # ffmpeg finds out what it is
    return False
