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
from dataclasses import dataclass
from pathlib import Path

from framebus.errors import UsageError

from capture_daemon.sources import redact
from capture_daemon.sources.ffmpeg import filters, options
from capture_daemon.sources.ffmpeg.options import Value
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
_TRANSPORT_STREAM = re.compile(rb"(?:.{4})?G.{187}(?:.{4})?G", re.DOTALL)
"""Two packets' first bytes (ISO/IEC 13818-1, 2.4.3.2); some have four bytes before each."""
_ESCAPES = "in a name or password write %23 for #, %2F for /, %3F for ? and %40 for @"


@dataclass(frozen=True, slots=True)
class Word:
    """One option, as "-c:v", and its value; "" for one that takes none."""

    text: str
    value: str = ""

    @property
    def name(self) -> str:
        """Its name without a stream specifier."""
        return options.name(self.text)

    @property
    def words(self) -> tuple[str, ...]:
        """Return it as arguments."""
        option = options.find(self.text)
        return (self.text,) if option and option.value is Value.NONE else (self.text, self.value)

    @property
    def of_format(self) -> bool:
        """Whether it belongs to the input's format or protocol, and not to the program."""
        option = options.find(self.text)
        return option is not None and option.of_format

    @property
    def known(self) -> str:
        """It as operators see it."""
        option = options.find(self.text)
        match option.value if option else Value.TEXT:
            case Value.NONE:
                return self.text
            case Value.PLAIN if options.is_plain(self.value):
                return f"{self.text} {self.value}"
            case Value.FILTERS if filters.is_harmless(self.value):
                return f"{self.text} {shlex.quote(self.value)}"
            case _:
                return f"{self.text} {redact.HIDDEN}"


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
    def winds_back(self) -> bool:
        """Whether ffmpeg can begin it anew by itself, without a pause.

        A transport stream it cannot: seen with 5.1, which waits 1.5 s, or for ever.
        """
        try:
            with open(self.text.removeprefix("file:"), "rb") as file:
                return _TRANSPORT_STREAM.match(file.read(512)) is None
        except OSError:
            return True

    @property
    def secret(self) -> bool:
        """Whether it has anything that other users of the machine should not read."""
        if self.medium is not Medium.NETWORK:
            return False
        return any(each.known.endswith(redact.HIDDEN) for each in self.options) or (
            redact.known(self.text) != self.text
        )

    @property
    def public(self) -> str:
        """It as viewers see it."""
        if self.medium is Medium.NETWORK:
            return redact.public(self.text)
        return str(self.medium.value)

    @property
    def known(self) -> str:
        """It as operators see it."""
        text = self.text
        if self.medium is Medium.NETWORK:
            return redact.known(text)
        plain = _PATH.fullmatch(text.removeprefix("file:")) is not None
        if self.medium is Medium.GENERATOR:
            plain = filters.is_harmless(text)
        return shlex.quote(text) if plain else redact.HIDDEN

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
        found: set[str] = set()
        for each in self.inputs:
            if each.known.endswith(redact.HIDDEN) or each.known != each.text:
                found |= redact.secrets_of(each.text)
        options = [*self.output, *(option for each in self.inputs for option in each.options)]
        found |= {each.value for each in options if each.known.endswith(redact.HIDDEN)}
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
    at = 0
    while at < len(words):
        if words[at] == "-i":
            if at + 1 == len(words):
                raise UsageError("the last -i of an ffmpeg source names no input")
            inputs.append(_input(tuple(pending), words[at + 1]))
            pending = []
            at += 2
            continue
        option = _option(words, at)
        pending.append(option)
        at += len(option.words)
    result = Arguments(tuple(inputs), tuple(pending))
    _check(result)
    return result


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"an ffmpeg source is quoted as in a shell, and here: {error}") from None


def _input(options: tuple[Word, ...], text: str) -> Input:
    made = Input(options, text)
    _check_format(made)
    url = redact.split(text) if made.medium is Medium.NETWORK else None
    told_apart = url is None or url.sound or url.scheme == redact.HIDDEN
    if not told_apart and "@" in text:
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


def _option(words: list[str], at: int) -> Word:
    word = words[at]
    if not word.startswith("-") or word == "-":
        raise UsageError(
            f"word {at + 1} of an ffmpeg source is no option: it may name inputs (-i) and no "
            "output, since framebus itself takes the pictures; quote a value that has spaces"
        )
    option = options.find(word)
    if option is None:
        raise UsageError(
            f"word {at + 1} of an ffmpeg source is an option that it may not have: those that "
            "open and show an input are allowed, none that writes a file (docs/security.md)"
        )
    if option.value is Value.NONE:
        return Word(word)
    if at + 1 == len(words):
        raise UsageError("the last option of an ffmpeg source lacks its value")
    if option.value is Value.FILTERS:
        _check_graph(words[at + 1])
    return Word(word, words[at + 1])


def _check_graph(graph: str) -> None:
    name = filters.refused(graph)
    if name is not None:
        what = f"the filter {name} of an ffmpeg source" if name else "a filter of an ffmpeg source"
        raise UsageError(
            f"{what} may read or write files, or is not known to do neither (docs/security.md)"
        )


def _check(arguments: Arguments) -> None:
    for each in arguments.inputs:
        for option in each.options:
            found = options.find(option.text)
            if found is None or not (found.for_input):
                raise UsageError(
                    f"{option.text} is for what follows the inputs of an ffmpeg source: "
                    "write it after the last -i URL"
                )
    for option in arguments.output:
        found = options.find(option.text)
        if found is None or not found.for_output:
            raise UsageError(
                f"{option.text} is for an input of an ffmpeg source: write it before its -i"
            )
