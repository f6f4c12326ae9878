"""The command line of the `ffmpeg` source: the inputs, then MJPEG on standard output.

Everybody on a machine can read a program's arguments. So an input that has anything to hide is not
written there, but into a script, in a file without a name (scripts.py). Only where both a
format, or several headers, and a decoder or a copy are asked for is there no such way, as
docs/security.md says. Pure but for a look at how a recording begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from capture_daemon.sources.base import Request
from capture_daemon.sources.ffmpeg import filters, scripts
from capture_daemon.sources.ffmpeg.arguments import Arguments, Input
from capture_daemon.sources.remedies import Medium

QUALITY = "4"
"""ffmpeg's scale from 2 (best) to 31; 4 is near 90 of libjpeg's."""

_FINE_TIMES = ("-enc_time_base", "1:1000000")
_RISING_TIMES = (
    "-vf",
    r"settb=AVTB,setpts=if(isnan(PREV_OUTPTS)\,PTS\,max(PTS\,PREV_OUTPTS+1))",
)
"""Two frames at one time end ffmpeg: its MJPEG encoder refuses the second. It counts in units of a
nominal frame, so a network camera's jitter is enough; and some inputs have no finer times."""
_DECODING = ("c", "hwaccel", "hwaccel_device", "hwaccel_output_format")
"""Options of an input that choose its decoder."""
_TRANSPORT_STREAM = re.compile(rb"(?:.{4})?G.{187}(?:.{4})?G", re.DOTALL)
"""Two packets' first bytes (ISO/IEC 13818-1, 2.4.3.2); some have four bytes before each."""
_FROM_MJPEG = re.compile(r"Stream #[0-9:]+ -> #0:0 \(mjpeg \(")
"""A line of its "Stream mapping"."""

PassOn = Callable[[str], str]
"""Puts a text where only ffmpeg can read it; returns the URL under which it does."""


def command(
    arguments: Arguments, request: Request, pass_on: PassOn, *, copy: bool = False
) -> list[str]:
    """Return ffmpeg's arguments; with `copy` the input's own JPEGs are passed on."""
    tells = not copy and may_copy(arguments, request)  # ... what the input is
    words = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "info" if tells else "error"]
    for each in arguments.inputs:
        words += _paced(each)
        words += _input(each, arguments, pass_on)
    given = [word for option in arguments.output for word in option.words]
    mapped = () if arguments.has("map", "filter_complex", "lavfi") else ("-map", "0:v:0")
    words += [*given, *mapped]
    if copy:
        words += ["-c:v", "copy"]
    elif not copies(arguments):
        words += [*_rate(arguments, request), *_size(request)]
        # An encoder of several threads holds a frame back for each of them; this one keeps up.
        words += ["-c:v", "mjpeg", "-threads", "1", "-q:v", QUALITY, "-pix_fmt", "yuvj420p"]
    # Each picture is written at once, not 32 KiB at a time: whoever reads it is woken once.
    return [*words, "-avioflags", "direct", "-f", "mjpeg", "pipe:1"]


def copies(arguments: Arguments) -> bool:
    """Tell whether the input's own JPEGs are asked for, as they are (-c copy)."""
    codecs = [each for each in arguments.output if each.name == "c"]
    return bool(codecs) and codecs[-1].value == "copy"


def may_copy(arguments: Arguments, request: Request) -> bool:
    """Tell whether nothing is asked for that would need an encoder."""
    plain = request == Request() and len(arguments.inputs) == 1
    return plain and all(
        each.name in ("an", "sn", "dn", "t", "to") or (each.name == "map" and "[" not in each.value)
        for each in arguments.output
    )


def is_motion_jpeg(lines: Iterable[str]) -> bool:
    """Tell whether ffmpeg has said that what it reads are JPEGs already."""
    return any(_FROM_MJPEG.search(line) for line in lines)


def plays_in_a_loop(arguments: Arguments) -> bool:
    """Tell whether what ends is to begin anew: recordings of which nothing else is said."""
    return all(map(_is_looped, arguments.inputs))


def _is_looped(given: Input) -> bool:
    return given.medium is Medium.FILE and not given.has("stream_loop", "loop")


def _winds_back(given: Input) -> bool:
    """Tell whether ffmpeg can begin it anew by itself, without a pause.

    A transport stream it cannot: seen with 5.1, which waits 1.5 s, or for ever.
    """
    try:
        with open(given.text.removeprefix("file:"), "rb") as file:
            return _TRANSPORT_STREAM.match(file.read(512)) is None
    except OSError:
        return True


def _paced(given: Input) -> list[str]:
    """Return what makes a recording and a generator come at their own rate, unless that is said."""
    generated = given.medium is Medium.GENERATOR
    by_itself = given.has("re", "readrate") or (generated and filters.is_paced(given.text))
    words = ["-re"] if given.medium in (Medium.FILE, Medium.GENERATOR) and not by_itself else []
    if _is_looped(given) and _winds_back(given):
        words += ["-stream_loop", "-1"]
    return words


def _input(given: Input, arguments: Arguments, pass_on: PassOn) -> list[str]:
    options = [option for option in given.options if not option.of_format and option.name != "f"]
    outer = [word for option in options for word in option.words]
    if given.secret and given.format in ("", "rtsp") and not scripts.has_lines(given):
        script, words = scripts.concat(given)
        return [*outer, *words, pass_on(script)]
    if given.secret and not copies(arguments) and not given.has(*_DECODING):
        graph, words = scripts.movie(given)
        return [*outer, *words, pass_on(graph), "-i", "graph"]
    text = given.text
    if arguments.bare and given.medium is Medium.FILE:
        text = "file:" + text.removeprefix("file:")
    return [*(word for option in given.options for word in option.words), "-i", text]


def _rate(arguments: Arguments, request: Request) -> tuple[str, ...]:
    if request.fps is not None:
        return ("-r", f"{request.fps:g}")
    if arguments.has("r", "vsync", "fps_mode") or any(each.has("r") for each in arguments.inputs):
        return ()
    # Each frame as it comes: a steady rate would hold each back until the next is there.
    own = arguments.has("vf", "lavfi", "filter", "filter_complex")
    return ("-fps_mode", "passthrough", *_FINE_TIMES, *(() if own else _RISING_TIMES))


def _size(request: Request) -> tuple[str, ...]:
    if request.width is None or request.height is None:
        return ()
    return ("-s", f"{request.width}x{request.height}")
