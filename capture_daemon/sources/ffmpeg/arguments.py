"""What an `ffmpeg:` source says, taken apart: its inputs, and what is to become of the pictures.

    rtsp://camera.local/main          a URL or a path
    -f lavfi -i testsrc2              anything with -i: ffmpeg's own arguments, quoted as in a shell

There is no shell: the text is split into words and nothing more. Options are those of
options.py, and there is no output but ours: the source of a camera writes no file. Pure but
for a look at whether an input is a file.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from framebus.errors import UsageError

from capture_daemon.sources import redact
from capture_daemon.sources.ffmpeg import filters, options
from capture_daemon.sources.ffmpeg.options import Option, Value
from capture_daemon.sources.remedies import Medium

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PATH = re.compile(r"[\w. /+,~()\[\]*%-]+")
_DEVICES = redact.words(
    "alsa android_camera avfoundation bktr decklink dshow fbdev gdigrab iec61883 jack kmsgrab "
    "libcdio libdc1394 openal oss pulse sndio v4l2 video4linux2 x11grab"
)
"""Formats that are devices (ffmpeg-devices(1))."""
_FORMAT = re.compile(r"[a-z0-9_.-]+")
"""ffmpeg takes capitals and lists as well: a format that is known by another spelling is checked as
none of those that are looked at here."""
_PROGRAMS = redact.words("avisynth vapoursynth")
"""Formats that are programs, which ffmpeg would run,"""
_PROGRAM_FILES = (".avs", ".vpy")
"""and how names of files end by which it knows them (libavformat, avisynth.c, vapoursynth.c)."""
_ESCAPES = "in a name or password write %23 for #, %2F for /, %3F for ? and %40 for @"


@dataclass(frozen=True, slots=True)
class Word:
    """One option, as "-c:v", what that is, and its value; "" for one that takes none."""

    text: str
    option: Option
    value: str = ""

    @property
    def name(self) -> str:
        """Its name without a stream specifier."""
        return options.name(self.text)

    @property
    def words(self) -> tuple[str, ...]:
        """Return it as arguments."""
        return (self.text,) if self.option.value is Value.NONE else (self.text, self.value)

    @property
    def of_format(self) -> bool:
        """Whether it belongs to the input's format or protocol, and not to the program."""
        return self.option.of_format

    @property
    def known(self) -> str:
        """It as operators see it."""
        match self.option.value:
            case Value.NONE:
                return self.text
            case Value.PLAIN if options.is_plain(self.value):
                return f"{self.text} {self.value}"
            case Value.FILTERS if filters.is_harmless(self.value):
                return f"{self.text} {shlex.quote(self.value)}"
            case _:
                return f"{self.text} {redact.HIDDEN}"

    @property
    def hidden(self) -> bool:
        """Whether its value is left out of that."""
        return self.known.endswith(redact.HIDDEN)


@dataclass(frozen=True, slots=True)
class Input:
    """One -i and the options before it."""

    options: tuple[Word, ...]
    text: str
    """A URL, a path, a device or a graph, secrets included."""

    @property
    def format(self) -> str:
        """The format that it is said to have; empty if ffmpeg is to find out."""
        return next((each.value for each in reversed(self.options) if each.name == "f"), "")

    @property
    def medium(self) -> Medium:
        """What it is read from."""
        if self.format == "lavfi":
            return Medium.GENERATOR
        if self.format in _DEVICES or self.text.startswith("/dev/"):
            return Medium.DEVICE
        if _SCHEME.match(self.text) and not self.text.startswith("file:"):
            return Medium.NETWORK
        path = Path(self.text.removeprefix("file:"))
        return Medium.DEVICE if os.path.exists(path) and not os.path.isfile(path) else Medium.FILE

    @property
    def secret(self) -> bool:
        """Whether it has anything that other users of the machine should not read."""
        if self.medium is not Medium.NETWORK:
            return False
        hides = any(each.hidden for each in self.options)
        return hides or redact.known(self.text) != self.text

    @property
    def public(self) -> str:
        """It as viewers see it."""
        if self.medium is Medium.NETWORK:
            return redact.public(self.text)
        return str(self.medium.value)

    @property
    def known(self) -> str:
        """It as operators see it."""
        match self.medium:
            case Medium.NETWORK:
                return redact.known(self.text)
            case Medium.GENERATOR:
                plain = filters.is_harmless(self.text)
            case _:
                plain = _PATH.fullmatch(self.text.removeprefix("file:")) is not None
        return shlex.quote(self.text) if plain else redact.HIDDEN

    def has(self, *names: str) -> bool:
        """Tell whether one of these options was given."""
        return any(each.name in names for each in self.options)


@dataclass(frozen=True, slots=True)
class Arguments:
    """A whole source."""

    inputs: tuple[Input, ...]
    output: tuple[Word, ...] = ()
    bare: bool = False
    """A URL or path alone, without -i."""

    @property
    def medium(self) -> Medium:
        """What it is read from, of several inputs the one that may fail in most ways."""
        media = {each.medium for each in self.inputs}
        return next(each for each in Medium if each in media)

    @property
    def public(self) -> str:
        """It as viewers see it: of each input kind, host and port."""
        return " ".join(each.public for each in self.inputs)

    @property
    def known(self) -> str:
        """It as operators see it."""
        if self.bare:
            return self.inputs[0].known
        words: list[str] = []
        for each in self.inputs:
            words += [*(option.known for option in each.options), "-i", each.known]
        return " ".join([*words, *(option.known for option in self.output)])

    @property
    def secrets(self) -> frozenset[str]:
        """What of it must not be shown, wherever it is quoted."""
        options = [*self.output, *(option for each in self.inputs for option in each.options)]
        found = {each.value for each in options if each.hidden}
        for each in self.inputs:
            if each.known != each.text:
                found |= redact.secrets_of(each.text)
        return redact.spelled(found)

    def has(self, *names: str) -> bool:
        """Tell whether one of these options was given for the output."""
        return any(each.name in names for each in self.output)


def parse(text: str) -> Arguments:
    """Take a source's arguments apart. Raises UsageError, which quotes nothing of them."""
    words = _split(text)
    if "-i" not in words:
        if text.startswith("-"):
            raise UsageError("an ffmpeg source needs an input: write ffmpeg:-i URL")
        return Arguments((_input((), os.path.expanduser(text)),), bare=True)
    inputs: list[Input] = []
    pending: list[Word] = []
    rest = enumerate(words, start=1)
    for number, word in rest:
        if word != "-i":
            pending.append(_option(number, word, rest))
            continue
        _, source = next(rest, (0, None))
        if source is None:
            raise UsageError("the last -i of an ffmpeg source names no input")
        inputs.append(_input(tuple(pending), source))
        pending = []
    for given in pending:
        if not given.option.for_output:
            raise UsageError(
                f"{given.text} is for an input of an ffmpeg source: write it before its -i"
            )
    return Arguments(tuple(inputs), tuple(pending))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"an ffmpeg source is quoted as in a shell, and here: {error}") from None


def _input(options: tuple[Word, ...], text: str) -> Input:
    for given in options:
        if not given.option.for_input:
            raise UsageError(
                f"{given.text} is for what follows the inputs of an ffmpeg source: "
                "write it after the last -i URL"
            )
    made = Input(options, text)
    _check_format(made)
    url = redact.split(text) if made.medium is Medium.NETWORK else None
    if url and not url.sound and url.scheme != redact.HIDDEN and "@" in text:
        raise UsageError(
            f"where the host of an ffmpeg source's URL begins is not clear: {_ESCAPES}"
        )
    if made.medium is Medium.GENERATOR:
        _check_graph(text)
    return made


def _check_format(given: Input) -> None:
    formats = [each.value for each in given.options if each.name == "f"]
    if not all(_FORMAT.fullmatch(each) for each in formats):
        raise UsageError("-f of an ffmpeg source takes one format, in small letters, as -f mjpeg")
    if not _PROGRAMS.isdisjoint(formats) or given.text.lower().endswith(_PROGRAM_FILES):
        raise UsageError(
            "an input of an ffmpeg source is a script that ffmpeg would run, and may be no program "
            "(docs/security.md)"
        )


def _option(number: int, word: str, rest: Iterator[tuple[int, str]]) -> Word:
    """Return the `number`th word as an option; its value is the first of the rest."""
    if not word.startswith("-") or word == "-":
        raise UsageError(
            f"word {number} of an ffmpeg source is no option: it may name inputs (-i) and no "
            "output, since framebus itself takes the pictures; quote a value that has spaces"
        )
    option = options.find(word)
    if option is None:
        raise UsageError(
            f"word {number} of an ffmpeg source is an option that it may not have: those that "
            "open and show an input are allowed, none that writes a file (docs/security.md)"
        )
    if option.value is Value.NONE:
        return Word(word, option)
    _, value = next(rest, (0, None))
    if value is None:
        raise UsageError("the last option of an ffmpeg source lacks its value")
    if option.value is Value.FILTERS:
        _check_graph(value)
    return Word(word, option, value)


def _check_graph(graph: str) -> None:
    name = filters.refused(graph)
    if name is not None:
        what = f"the filter {name} of an ffmpeg source" if name else "a filter of an ffmpeg source"
        raise UsageError(
            f"{what} may read or write files, or is not known to do neither (docs/security.md)"
        )
