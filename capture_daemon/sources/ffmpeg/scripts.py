"""Texts through which ffmpeg takes an input that must not be among its arguments. Pure.

The concat demuxer's script names a URL and the options of its format and protocol
(ffmpeg-formats(1), concat). It cannot say of which format the URL is; a graph with the source
`movie` can (ffmpeg-filters(1), movie), and decodes, so that nothing can be copied.
"""

from __future__ import annotations

from capture_daemon.sources.ffmpeg.arguments import Input

_PROTOCOLS = (
    "pipe,async,cache,concat,crypto,data,ftp,hls,http,httpproxy,https,mmsh,mmst,rist,rtmp,rtmpe,rtmps,rtmpt,rtmpte,"
    "rtmpts,ffrtmphttp,ffrtmpcrypt,rtp,sctp,sftp,srt,srtp,tcp,tls,udp,udplite"
)
"""What a script's URL may lead to: the network, and no file of this machine."""


def has_lines(given: Input) -> bool:
    """Tell whether a value has several lines, as -headers may: concat's script takes one a word."""
    options = (each.value for each in given.options if each.of_format)
    return any("\n" in each.rstrip("\r\n") for each in (given.text, *options))


def concat(given: Input) -> tuple[str, list[str]]:
    """Return a script for the concat demuxer, and the arguments under which it is read."""
    allowed = _PROTOCOLS
    lines = ["ffconcat version 1.0", f"file {_quoted(given.text.rstrip())}"]
    for option in given.options:
        if option.name == "protocol_whitelist":
            allowed = f"pipe,{option.value}"
        elif option.of_format:
            value = option.value.rstrip("\r\n")  # ffmpeg adds the end of the last header's line
            lines.append(f"option {option.name} {_quoted(value)}")
    arguments = ["-f", "concat", "-safe", "0", "-protocol_whitelist", allowed, "-i"]
    return "\n".join([*lines, ""]), arguments


def movie(given: Input) -> tuple[str, list[str]]:
    """Return a graph for the lavfi device, and the arguments; "-graph_file" wants its URL next."""
    options = ":".join(
        f"{option.name}={_escaped(option.value, '=:')}"
        for option in given.options
        if option.of_format
    )
    graph = f"movie=filename={_argument(given.text)}"
    if given.format:
        graph += f":format_name={_argument(given.format)}"
    if options:
        graph += f":format_opts={_argument(options)}"
    return graph, ["-f", "lavfi", "-graph_file"]


def _argument(text: str) -> str:
    """Write a filter's argument: escaped for its list of arguments, then quoted for the graph."""
    return _quoted(_escaped(text, ":"))


def _escaped(text: str, separators: str) -> str:
    return "".join(f"\\{letter}" if letter in f"\\'{separators}" else letter for letter in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
