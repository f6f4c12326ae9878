"""What somebody may have put where a file of ours belongs."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

KINDS = ("fifo", "link", "directory", "socket", "writable")


def put(kind: str, path: Path) -> None:
    """Put one of KINDS in place of the file at `path`; `writable`: that file, for all to write."""
    content = b""
    with suppress(FileNotFoundError):
        content = path.read_bytes()
        path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "link":
            path.symlink_to("/dev/null")
        case "directory":
            path.mkdir()
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        case "writable":
            path.write_bytes(content)
            path.chmod(0o666)
        case _:
            raise ValueError(kind)
