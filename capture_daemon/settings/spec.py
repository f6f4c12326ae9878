"""What `--source` may say, and which class stands behind each kind.

The text is parsed here and nowhere else. A kind's module is imported only when it is built, so
that a daemon which serves a test pattern needs neither linuxpy nor a camera. Nothing here opens
anything, except that `auto` looks at which cameras there are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from framebus.errors import UsageError

from capture_daemon.sources import redact
from capture_daemon.sources.base import Granted, Interrupt, Request, Source
from capture_daemon.sources.remedies import Medium

FORMS: Mapping[str, str] = MappingProxyType(
    {
        "auto": "the first camera that there is, else the test pattern",
        "v4l2:DEVICE": "a node, a /dev/v4l/by-id name, usb:VID:PID[:SERIAL]",
        "ffmpeg:ARGS": "whatever ffmpeg reads",
        "http://URL": "another server's stream or pictures",
        "https://URL": "the same, over TLS",
        "rpicam:ARGS": "a Raspberry Pi's CSI camera; rpicam alone will do",
        "file:PATH": "a picture, a recording or a directory of pictures, looped",
        "test": "a moving test pattern",
    }
)
"""The valid forms, and what each is, as help texts and errors name them."""

SOURCE_MAX = 4000
"""Characters of a source's text."""
_WITHOUT_ARGUMENT = frozenset({"auto", "test"})
_URLS = frozenset({"http", "https"})
_FOR_FFMPEG = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "tcp", "srt"})
_DEVICE = re.compile(r"/?[\w.+,:-]+(?:/[\w.+,:-]+)*")
"""A node or a name under /dev/v4l, usb:VID:PID[:SERIAL]."""
_PATH = re.compile(r"[\w. /+,~()\[\]-]+")
"""A path as people name files; a URL is none."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One parsed `--source`."""

    kind: str
    """"auto", "test", "v4l2", "http" (https too), "file", "ffmpeg" or "rpicam"."""
    argument: str = field(repr=False)
    """The device, path, URL or arguments, secrets included: never shown."""
    text: str
    """What operators and the log see: what of the specification is known to carry no secret."""
    public: str
    """What viewers see: kind, host and port. Causes, events and pictures name a source by it."""
    medium: Medium
    """What it is read from."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What must not be shown wherever somebody quotes it."""
    chosen: bool = False
    """By `auto`: no person named this device."""

    def conceal(self, text: str) -> str:
        """Return a text of a library, a server or a program without what is not to be shown."""
        return redact.without(text, self.secrets)

    def conceal_granted(self, granted: Granted) -> Granted:
        """Return what a source gave, without what is not to be shown."""
        device = self.conceal(granted.device).strip(redact.HIDDEN)  # "…" alone says nothing
        return replace(granted, device=device, note=self.conceal(granted.note))


def parse(text: str) -> SourceSpec:
    """Parse a `--source` text.

    Raises:
        UsageError: it is too long, or none of `FORMS`; the message names them.
    """
    if len(text) > SOURCE_MAX:
        raise UsageError(f"a source has at most {SOURCE_MAX} characters, not {len(text)}")
    if not text.isprintable():
        raise UsageError("a source has no control characters")
    text = text.strip()
    if text in _WITHOUT_ARGUMENT:
        medium = Medium.DEVICE if text == "auto" else Medium.GENERATOR
        return SourceSpec(text, "", text, text, medium)
    kind, colon, argument = text.partition(":")
    if kind in _WITHOUT_ARGUMENT and colon:
        raise UsageError(f"source {kind!r} takes no argument: write --source {kind}")
    if kind in _URLS and colon:
        return _http(text)
    if kind == "rpicam":
        return _rpicam(argument.strip())
    if kind in _WITH_ARGUMENT and colon:
        argument = argument.strip()
        if not argument:
            form = next(form for form in FORMS if form.startswith(f"{kind}:"))
            raise UsageError(f"source {kind!r} needs an argument: write --source {form}")
        return _WITH_ARGUMENT[kind](argument)
    raise UsageError(f"unknown source{_hint(text)}; valid: {', '.join(FORMS)}")


def resolve(spec: SourceSpec) -> SourceSpec:
    """Return what to build: `spec` itself, or what `auto` means now.

    `auto` is decided once, and not at each open: a camera that was chosen and is unplugged must be
    waited for, not replaced by a test pattern from which there is no way back.

    Raises:
        SourceError: `auto` could not look for cameras.
    """
    if spec.kind != "auto":
        return spec
    from capture_daemon.v4l2.discovery import choose

    device = choose()
    return parse("test") if device is None else chosen(device)


def chosen(device: str) -> SourceSpec:
    """Return what `auto` means when it finds this device."""
    return replace(parse(f"v4l2:{device}"), chosen=True)


def build(spec: SourceSpec, request: Request, interrupt: Interrupt) -> Source:
    """Make the source, closed. `interrupt` is what will wake its `read`.

    Raises:
        SourceError: `auto` could not look for cameras.
    """
    match spec.kind:
        case "auto":
            return build(resolve(spec), request, interrupt)
        case "test":
            from capture_daemon.sources.pattern.source import PatternSource

            return PatternSource(request, interrupt)
        case "v4l2":
            from capture_daemon.v4l2.source import V4L2Source

            return V4L2Source(spec.argument, request, interrupt, named=not spec.chosen)
        case "http":
            from capture_daemon.sources.http.source import HttpSource

            return HttpSource(spec.argument, interrupt, fps=request.fps)
        case "file":
            from capture_daemon.sources.file.source import FileSource

            return FileSource(spec.argument, request, interrupt)
        case "ffmpeg":
            from capture_daemon.sources.ffmpeg.source import FfmpegSource

            return FfmpegSource(spec.argument, request, interrupt)
        case "rpicam":
            from capture_daemon.sources.rpicam.source import RpicamSource

            return RpicamSource(spec.argument, request, interrupt)
        case other:
            raise UsageError(f"unknown source kind {other!r}; valid: {', '.join(FORMS)}")


def _http(text: str) -> SourceSpec:
    url = redact.split(text)
    try:
        port = urlsplit(text).port
        usable = url is not None and url.sound and bool(url.place.split(":")[0]) and port != 0
    except ValueError:  # its words quote the URL
        usable = False
    if url is None or not usable:
        raise UsageError(
            "the source is no valid URL: write http://HOST[:PORT]/PATH, with spaces as %20, and in "
            "a name or password %23 for #, %2F for /, %3F for ?, %40 for @ and %5B for ["
        )
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in text):
        raise UsageError("a source's URL has no spaces: write them as %20")
    return SourceSpec("http", text, url.known, url.public, Medium.NETWORK, redact.secrets_of(text))


def _ffmpeg(argument: str) -> SourceSpec:
    from capture_daemon.sources.ffmpeg import arguments  # few sources are ffmpeg's

    parsed = arguments.parse(argument)
    secrets = parsed.secrets
    if redact.HIDDEN in parsed.known:
        secrets |= redact.spelled([argument])
    return SourceSpec(
        "ffmpeg",
        argument,
        f"ffmpeg:{parsed.known}",
        f"ffmpeg:{parsed.public}",
        parsed.medium,
        secrets,
    )


def _rpicam(argument: str) -> SourceSpec:
    from capture_daemon.sources.rpicam import arguments  # few sources are such a camera

    words = arguments.parse(argument)  # which have nothing to hide
    text = f"rpicam:{' '.join(words)}" if words else "rpicam"
    return SourceSpec("rpicam", argument, text, text, Medium.DEVICE)


def _file(path: str) -> SourceSpec:
    text = f"file:{path}" if _PATH.fullmatch(path) else f"file:{redact.HIDDEN}"
    used = os.path.expanduser(path)
    secrets = redact.spelled([path, used, str(Path(used))])  # a/./b and a//b are quoted as a/b
    return SourceSpec("file", path, text, "file", Medium.FILE, secrets)


def _v4l2(device: str) -> SourceSpec:
    known = _DEVICE.fullmatch(device) is not None
    text = f"v4l2:{device if known else redact.HIDDEN}"
    secrets = redact.spelled([] if known else [device])
    return SourceSpec("v4l2", device, text, text, Medium.DEVICE, secrets)


_WITH_ARGUMENT = {"v4l2": _v4l2, "file": _file, "ffmpeg": _ffmpeg}


def _hint(text: str) -> str:
    if text.startswith("/dev/"):
        return ": write v4l2: before a device"
    if text.startswith(("/", "./", "~")):
        return ": write file: before a path"
    kind = text.partition(":")[0]
    if kind in _FOR_FFMPEG:
        return f": write ffmpeg: before {kind}:"
    import difflib  # a daemon that starts needs no hint

    bare = {*_WITHOUT_ARGUMENT, "rpicam"}
    near = difflib.get_close_matches(kind[:16], [*_WITH_ARGUMENT, *_URLS, *sorted(bare)], n=1)
    return f": did you mean {near[0]}{'' if near[0] in bare else ':'}" if near else ""
