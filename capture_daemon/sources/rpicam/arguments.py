"""What an `rpicam:` source may say: rpicam-vid's options about the picture, and no others.

    --camera 1 --rotation 180 --exposure sport

There is no shell: the text is split into words and nothing more. rpicam-vid has options that write
files, load libraries or show a window; a table of what is allowed and not of what is forbidden,
since it gains some with every release. Names and meanings are its own (rpicam-vid --help, and
core/options.cpp of raspberrypi/rpicam-apps). What the daemon itself sets (size, rate, codec,
output) is not among them. Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from framebus.errors import UsageError

_FLAGS = frozenset({"hflip", "vflip", "no-raw"})
_VALUES = frozenset(
    {
        *("camera", "rotation", "roi", "mode", "quality", "buffer-count", "denoise", "hdr"),
        *("shutter", "gain", "analoggain", "metering", "exposure", "ev", "flicker-period"),
        *("awb", "awbgains", "ccm", "brightness", "contrast", "saturation", "sharpness"),
        *("autofocus-mode", "autofocus-range", "autofocus-speed", "autofocus-window"),
        "lens-position",
    }
)
_PLAIN = re.compile(r"[A-Za-z0-9.,:+-]{1,64}")
"""A number, a list of them, a word. No path is among them."""


def parse(text: str) -> tuple[str, ...]:
    """Return rpicam-vid's arguments, each option in one with its value.

    Raises UsageError: it has one that a source may not have, or a value that is none.
    """
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"an rpicam source is quoted as in a shell, and here: {error}") from None
    return tuple(_option(word, words) for word in words)


def _option(word: str, rest: Iterator[str]) -> str:
    name, equals, value = word.removeprefix("--").partition("=")
    if word.startswith("--") and name in _FLAGS and not equals:
        return word
    if not word.startswith("--") or name not in _VALUES:
        raise UsageError(
            "an rpicam source may have options of rpicam-vid that are about the picture: "
            f"{', '.join(f'--{name}' for name in sorted(_FLAGS | _VALUES))}; --size and --fps are "
            "framebus's own"
        )
    value = value if equals else next(rest, "")
    if not _PLAIN.fullmatch(value) or value.startswith("--"):
        raise UsageError(f"--{name} of an rpicam source needs a value: a number, or a word")
    return f"--{name}={value}"
