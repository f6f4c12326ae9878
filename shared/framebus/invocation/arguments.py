"""Hides a source from those who list processes: a command's arguments are for all users to read.

The kernel shows the memory in which it laid them down (proc(5), /proc/PID/cmdline), and a process
may write there. Until it has, they are to be seen: what is never typed as an argument is safer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from framebus.options.table import TABLE

_HARMLESS = r"auto|test|none|v4l2:[\w/.:+,-]*|file:[\w/. +-]*"
_OPTIONS = tuple(option.flag for option in TABLE if option.secret)
_PARAMETERS = ("source", "fallback")
_KIND = r"[a-z0-9]{1,8}:"
_ARG_START, _ARG_END = 45, 46
"""Where arg_start and arg_end stand in /proc/PID/stat, counted behind the name."""


def hide_sources(words: Sequence[str]) -> None:
    """Overwrite what follows the kind of each source in the words of a command.

    It does what it can: where /proc does not tell, they stay.
    """
    typed = [each for each in _sources(words) if each and not re.fullmatch(_HARMLESS, each)]
    if not typed:
        return
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        with open("/proc/self/cmdline", "rb") as file:
            arguments = file.read()
        start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    except (OSError, ValueError, IndexError):
        return
    if not start or end - start != len(arguments):
        return
    import ctypes  # few commands have a source

    for source in typed:
        for at, length in _found(arguments, source):
            ctypes.memset(start + at, ord("*"), length)


def _sources(words: Sequence[str]) -> Iterator[str]:
    """Yield what may be a source, as `up`, `capture` and `ctl configure` take them."""
    for before, word in pairwise(["", *words]):
        name, equals, value = word.partition("=")
        if before in _OPTIONS:
            yield word
        elif equals and name in (*_OPTIONS, *_PARAMETERS):
            yield value


def _found(arguments: bytes, source: str) -> Iterator[tuple[int, int]]:
    """Yield where what follows the kind of a source begins, and its length."""
    whole = os.fsencode(source)
    kind = re.match(_KIND, source)
    shown = len(kind[0]) if kind else 0
    end = -1
    for argument in arguments.split(b"\0"):
        end += len(argument) + 1
        if argument.endswith(whole):
            yield end - len(whole) + shown, len(whole) - shown
