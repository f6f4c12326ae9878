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

    check: str
    """The check's name, a word or two."""
    level: Level
    message: str
    remedy: str = ""

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return {
            "check": self.check,
            "level": self.level.value,
            "message": self.message,
            "remedy": self.remedy,
        }


def good(check: str, message: str) -> Finding:
    """Return a finding of a check that is content."""
    return Finding(check, Level.GOOD, message)


def note(check: str, message: str, remedy: str = "") -> Finding:
    """Return a finding that needs nothing done."""
    return Finding(check, Level.NOTE, message, remedy)


def wrong(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that somebody must mend."""
    return Finding(check, Level.WRONG, message, remedy)
