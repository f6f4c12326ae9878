"""What `--source` may say, and which class stands behind each kind.

The text is parsed here and nowhere else. A kind's module is imported only when it is built, so
that a daemon which serves a test pattern needs neither linuxpy nor a camera. Nothing here opens
anything, except that `auto` looks at which cameras there are.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from framebus.errors import UsageError

from capture_daemon.sources.base import Interrupt, Request, Source
from capture_daemon.sources.redact import redact

FORMS = (
    "auto",
    "test",
    "v4l2:DEVICE",
    "http://URL",
    "https://URL",
    "file:PATH",
    "ffmpeg:ARGS",
)
"""The valid forms, as help texts and errors name them."""

_WITHOUT_ARGUMENT = frozenset({"auto", "test"})
_WITH_ARGUMENT = frozenset({"v4l2", "file", "ffmpeg"})
_URLS = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One parsed `--source`."""

    kind: str
    """"auto", "test", "v4l2", "http" (https too), "file" or "ffmpeg"."""
    argument: str = field(repr=False)
    """The device, path, URL or arguments, secrets included: never shown."""
    text: str
    """The whole specification without passwords: what people, logs and status see."""
    chosen: bool = False
    """By `auto`: no person named this device."""


def parse(text: str) -> SourceSpec:
    """Parse a `--source` text.

    Raises:
        UsageError: it is none of `FORMS`; the message names them.
    """
    text = text.strip()
    if text in _WITHOUT_ARGUMENT:
        return SourceSpec(text, "", text)
    kind, colon, argument = text.partition(":")
    if kind in _WITHOUT_ARGUMENT and colon:
        raise UsageError(f"source {kind!r} takes no argument: write --source {kind}")
    if kind in _URLS and colon:
        _check_url(text)
        return SourceSpec("http", text, redact(text))
    if kind in _WITH_ARGUMENT and colon:
        argument = argument.strip()
        if not argument:
            raise UsageError(f"source {kind!r} needs an argument: write --source {_form(kind)}")
        if kind == "ffmpeg":
            _check_arguments(argument)
        return SourceSpec(kind, argument, redact(f"{kind}:{argument}"))
    raise UsageError(f"unknown source {redact(text)!r}{_hint(text)}; valid: {', '.join(FORMS)}")


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
            from capture_daemon.sources.pattern import PatternSource

            return PatternSource(request, interrupt)
        case "v4l2":
            from capture_daemon.v4l2.source import V4L2Source

            return V4L2Source(spec.argument, request, interrupt, named=not spec.chosen)
        case "http":
            from capture_daemon.sources.http import HttpSource

            return HttpSource(spec.argument, interrupt, fps=request.fps)
        case "file":
            from capture_daemon.sources.file import FileSource

            return FileSource(spec.argument, request, interrupt)
        case "ffmpeg":
            from capture_daemon.sources.ffmpeg import FfmpegSource

            return FfmpegSource(spec.argument, request, interrupt)
        case other:
            raise UsageError(f"unknown source kind {other!r}; valid: {', '.join(FORMS)}")


def _form(kind: str) -> str:
    return next(form for form in FORMS if form.startswith(f"{kind}:"))


def _check_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise UsageError(f"source {redact(text)!r} is no valid URL: {error}") from error
    if not usable or any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in text):
        raise UsageError(
            f"source {redact(text)!r} is no valid URL: write http://HOST[:PORT]/PATH, "
            "with spaces as %20"
        )


def _check_arguments(argument: str) -> None:
    try:
        shlex.split(argument)
    except ValueError as error:
        raise UsageError(
            f"source {redact('ffmpeg:' + argument)!r}: {error}; quote as in a shell"
        ) from error


def _hint(text: str) -> str:
    if text.startswith("/dev/"):
        return f": did you mean v4l2:{text}"
    if text.startswith(("/", "./", "~")):
        return f": did you mean file:{text}"
    if text.startswith(("rtsp:", "rtmp:", "udp:", "srt:")):
        return f": did you mean ffmpeg:{redact(text)}"
    return ""
