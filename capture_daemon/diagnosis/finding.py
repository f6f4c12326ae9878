"""What one check of the doctor found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    """How bad it is."""

    WRONG = "wrong"
    """Frames are missing because of it, or would be."""
    NOTE = "note"
    """Worth knowing; nothing needs to be done."""
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and the command or the act that mends it."""

    level: Level
    message: str
    remedy: str = ""
    check: str = ""
    """The name of the check, which the doctor's table gives."""

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return {
            "check": self.check,
            "level": self.level.value,
            "message": self.message,
            "remedy": self.remedy,
        }


def good(message: str) -> Finding:
    """Return a finding of a check that is content."""
    return Finding(Level.GOOD, message)


def note(message: str, remedy: str = "") -> Finding:
    """Return a finding that needs nothing done."""
    return Finding(Level.NOTE, message, remedy)


def wrong(message: str, remedy: str) -> Finding:
    """Return a finding that somebody must mend."""
    return Finding(Level.WRONG, message, remedy)
