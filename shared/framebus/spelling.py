"""Which known word somebody meant by an unknown one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD_MAX = 64
"""Characters of an unknown word that are looked at: it may come from anybody, and be long."""
_WORD = r"[\w-]{1,64}"
"""What one writes without quotes."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown word: the nearest known one, else all of them."""
    words = sorted(known)
    return did_you_mean(word, words) or f"; known are {', '.join(words)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown word: the nearest known one, "" if none is near."""
    close = closest(word, known)
    return f": did you mean {close!r}?" if close else ""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that somebody may have meant, None if none is near.

    Case and the choice of `-` or `_` are no difference; a beginning that only one word has is near.
    """
    import difflib  # only who mistypes pays for it

    plain = {_plain(each): each for each in known}
    word = _plain(word[:_WORD_MAX])
    close = difflib.get_close_matches(word, sorted(plain), n=1)
    begun = [each for each in plain if len(word) > 1 and each.startswith(word)]
    return plain[close[0]] if close else plain[begun[0]] if len(begun) == 1 else None


def quoted(word: str) -> str:
    """Return a plain word in quotes, and "" for what else somebody typed: it may be a source."""
    return repr(word) if re.fullmatch(_WORD, word) else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
