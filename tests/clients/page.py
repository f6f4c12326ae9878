"""docs/clients.md as the tests run it: its blocks, with a running framebus's address put in."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
ADDRESS = "http://127.0.0.1:8080"
"""What the page writes for where framebus is."""
SERVERS = "ffmpeg and VLC as servers"
"""The section of what is no client."""


@dataclass(frozen=True)
class Block:
    section: str
    language: str
    text: str

    def lines(self) -> list[str]:
        return self.text.splitlines()


def blocks(*languages: str) -> list[Block]:
    """Return the page's blocks in these languages, in order."""
    found, section = [], ""
    for match in re.finditer(
        r"^## ([^\n]*)$|^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    ):
        heading, language, text = match.groups()
        section = heading or section
        if language in languages:
            found.append(Block(section, language, text))
    return found


def block(section: str, language: str) -> Block:
    """Return the one block of a section in that language."""
    (only,) = [each for each in blocks(language) if each.section == section]
    return only


def languages() -> set[str]:
    return set(re.findall(r"^```(\w+)$", PAGE.read_text(), re.MULTILINE))


def commands(*, servers: bool = False) -> list[str]:
    """Return every command line of the page, of clients or of servers."""
    text = "".join(each.text for each in blocks("sh") if (each.section == SERVERS) is servers)
    return text.replace("\\\n", "").splitlines()


def words(command: str, base: str) -> list[str]:
    """Return a command line's words, with the address where framebus is now."""
    return shlex.split(command.replace(ADDRESS, base))
