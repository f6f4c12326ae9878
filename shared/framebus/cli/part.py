"""What one child of `framebus up` is, and how that is told to the program that runs them.

That program is small because it imports next to nothing (supervise.py), so nor does this file: a
part is told as lines of text, each with a NUL after it, which no argument and no variable can hold.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing would be a tenth of the program's memory
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KEPT = "FRAMEBUS_KEPT"
"""The variable that lists the descriptors which were kept for a child (launch.py)."""


class Part:
    """What one child is: its name for people, and the command that starts it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str | None] | None = None,
        keeps: str = "",
        retried: frozenset[int] = frozenset(),
    ) -> None:
        self.name = name
        self.command = command
        self.environ = environ or {}
        """What differs for it from the environment of all; None: it has no such variable."""
        self.keeps = keeps
        """The directory for the socket through which it may leave descriptors with us for its next
        life (descriptor_store.py); empty if it may not."""
        self.retried = retried
        """Exit codes after which it is tried again at its first start too (restarts.py)."""

    def environment(self, common: Mapping[str, str]) -> dict[str, str]:
        """Return its environment, given that of all."""
        merged = {**common, **self.environ}
        return {name: value for name, value in merged.items() if value is not None}


def packed(parts: Iterable[Part]) -> bytes:
    """Return parts as bytes. They hold secrets: they are for one process, not for a file."""
    lines: list[str] = []
    for part in parts:
        lines += [f"name={part.name}", *(f"argument={word}" for word in part.command)]
        for name, value in part.environ.items():
            lines.append(f"without={name}" if value is None else f"with={name}={value}")
        lines += [f"keeps={part.keeps}", *(f"retried={code}" for code in sorted(part.retried))]
    return b"".join(os.fsencode(line) + b"\0" for line in lines)


def unpacked(told: bytes) -> list[Part]:
    """Return the parts that `packed` made bytes of."""
    parts: list[Part] = []
    command: list[str] = []
    environ: dict[str, str | None] = {}
    for line in told.split(b"\0")[:-1]:
        what, _, said = os.fsdecode(line).partition("=")
        if what == "name":
            command, environ = [], {}
            parts.append(Part(said, command, environ=environ))
            parts[-1].environ = environ
        elif what == "argument":
            command.append(said)
        elif what == "with":
            name, _, value = said.partition("=")
            environ[name] = value
        elif what == "without":
            environ[said] = None
        elif what == "keeps":
            parts[-1].keeps = said
        else:
            parts[-1].retried |= {int(said)}
    return parts
