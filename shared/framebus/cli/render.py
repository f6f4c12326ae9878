"""Control replies as text for people. Pure; `--json` is for programs.

A reply comes from a daemon that may be newer than this file: a key that is missing reads as a
dash, and a reply of another shape is printed as an outline, never refused.
"""

from __future__ import annotations

from framebus.cli.fields import Fields, list_of
from framebus.invocation.tables import amount, duration, outline, scalar, table


def status(result: object, now_utc_ns: int) -> str:
    """Return the status document as an aligned table; now is nanoseconds since 1970, UTC."""
    document = Fields(result)

    def since(utc_ns: int) -> str:
        return duration((now_utc_ns - utc_ns) / 1e9) if utc_ns else "-"

    frames, ring, source = document.at("frames"), document.at("ring"), document.at("source")
    newest_utc_ns = frames.number("newest_utc_ns")
    newest = f"; newest frame {since(newest_utc_ns)} old" if newest_utc_ns else ""
    cause = document.at("cause")
    rows = [
        [
            "camera",
            f"{document.text('camera')} (pid {document.text('pid')}, framebus "
            f"{document.text('version')}, up {since(document.number('started_utc_ns'))})",
        ],
        [
            "state",
            f"{document.text('state')} for {since(document.number('since_utc_ns'))}",
        ],
    ]
    if cause:
        rows += [["cause", f"{cause.text('message')} [{cause.text('code')}]"]]
        rows += [["remedy", cause.text("remedy")]]
    retry_utc_ns = document.number("retry_utc_ns")
    if lease := document.at("lease"):
        left = duration((lease.number("until_utc_ns") - now_utc_ns) / 1e9)
        rows += [["lent", f"to {lease.text('to')}, for {left} more"]]
    elif retry_utc_ns:
        left = duration((retry_utc_ns - now_utc_ns) / 1e9)
        rows += [["retry", f"in {left} (attempts so far: {document.text('attempts')})"]]
    if demand := document.at("demand"):
        rows += [["watched", _demand(demand)]]
    recovery = document.at("recovery")
    if cause and (tried := recovery.text("rung")) != "-":
        next_ = recovery.text("next")
        later_utc_ns = recovery.number("next_utc_ns")
        if later_utc_ns and later_utc_ns != retry_utc_ns:
            next_ += f" in {duration((later_utc_ns - now_utc_ns) / 1e9)}"
        rows += [["recovery", f"tried {tried}, next {next_}"]]
    if fallback := document.at("fallback"):
        rows += [["fallback", _fallback(fallback)]]
    rows += [
        ["source", f"{source.text('spec')} {_in_brackets(source.text('device'))}".rstrip()],
        ["requested", _size_and_rate(source.at("requested"))],
        ["granted", _granted(source.at("granted"))],
        [
            "frames",
            f"{frames.text('captured')} captured, {frames.text('published')} published, "
            f"{_rejected(frames.at('rejected'))}, {frames.text('missed')} missed",
        ],
        ["rate", f"{_rate(frames).removeprefix('rate ')}{newest}"],
        [
            "ring",
            f"{amount(ring.number('size'))}, {ring.text('frames')} descriptors, largest frame "
            f"{amount(ring.number('largest'))}, epoch {document.text('epoch')}",
        ],
    ]
    if (note := ring.text("note")) not in ("-", ""):
        rows += [["note", note]]
    return table(rows)


def _fallback(fallback: Fields) -> str:
    spec = fallback.at("source").text("spec")
    if fallback.text("shown") == "yes":
        frames, granted = fallback.at("frames"), fallback.at("source").at("granted")
        return f"viewers see {spec}: {_granted(granted)}, {frames.text('published')} frames"
    cause = fallback.at("cause")
    if cause:
        return f"{spec}: {cause.text('message')} [{cause.text('code')}]"
    return f"{spec}, not needed now"


def _demand(demand: Fields) -> str:
    after_s, fps = demand.real("idle_after_s"), demand.text("idle_fps")
    closes = f"off after {duration(after_s)} without viewers" if after_s else ""
    slows = f"{fps} fps without viewers" if fps != "-" else ""
    return "; ".join(filter(None, (demand.text("watched"), slows, closes)))


def _in_brackets(text: str) -> str:
    return "" if text == "-" else f"({text})"


def _size_and_rate(fields: Fields) -> str:
    width, height, fps = fields.text("width"), fields.text("height"), fields.text("fps")
    size = "any size" if width == height == "-" else f"{width}x{height}"
    return f"{size}, {'any rate' if fps == '-' else f'{fps} fps'}"


def _rate(fields: Fields) -> str:
    return f"{fields.text('fps')} fps" if fields.real("fps") else "rate not known"


def _granted(fields: Fields) -> str:
    if not fields:
        return "-"
    known = fields.number("width") and fields.number("height")
    size = f"{fields.text('width')}x{fields.text('height')}" if known else "size not known"
    return f"{fields.text('fourcc')} {size}, {_rate(fields)}"


def _rejected(fields: Fields) -> str:
    counts = fields.items()
    total = sum(count for _, count in counts if isinstance(count, int))
    reasons = ", ".join(f"{scalar(reason)} {scalar(count)}" for reason, count in counts)
    return f"{total} rejected ({reasons})" if reasons else "0 rejected"


def formats(result: object) -> str:
    """Return the formats that a source offers: a line for each frame size."""
    offered = list_of("formats", result)
    if offered is None:
        return outline(result)
    rows = [
        [
            format_.text("fourcc"),
            f"{size.text('width')}x{size.text('height')}",
            size.text("fps"),
            format_.text("description"),
        ]
        for format_ in map(Fields, offered)
        for size in format_.each("sizes")
    ]
    return table(rows, header=["FOURCC", "SIZE", "FPS", "DESCRIPTION"])


def controls(result: object) -> str:
    """Return the camera's controls: a line for each, with its range and what can be chosen."""
    found = list_of("controls", result)
    if found is None:
        return outline(result)
    rows = []
    for control in map(Fields, found):
        smallest, largest, step = (control.text(key) for key in ("min", "max", "step"))
        menu = control.at("menu").items()
        span = "-" if smallest == largest == "-" else f"{smallest} to {largest}"
        if step not in ("-", "1"):
            span += f" by {step}"
        choices = ", ".join(f"{scalar(number)}={scalar(label)}" for number, label in menu)
        rows.append(
            [
                control.text("name"),
                control.text("value"),
                control.text("default"),
                choices or span,
                control.text("flags"),
            ]
        )
    return table(rows, header=["CONTROL", "VALUE", "DEFAULT", "RANGE", "FLAGS"])
