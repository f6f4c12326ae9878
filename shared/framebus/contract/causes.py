"""Why there are no frames: one cause, with a code for programs and two sentences for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass


def one_line(text: str) -> str:
    """Return `text` as one printable line: servers, drivers and children may say anything, and a
    line feed in a log or in systemd's STATUS= would let them speak in our name.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass(frozen=True, slots=True)
class Cause:
    """Why there are no frames: `code` for programs, `message` and `remedy` for people."""

    code: str
    """A stable word; docs/control.md lists the daemon's, docs/http.md those of the web tier."""
    message: str
    remedy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", one_line(self.message))
        object.__setattr__(self, "remedy", one_line(self.remedy))

    def document(self) -> dict[str, str]:
        """Return it as the status document has it."""
        return asdict(self)
