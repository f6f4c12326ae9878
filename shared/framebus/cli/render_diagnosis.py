"""Who has the device, and what went wrong, as text for people. Pure.

Like render.py: a key that is missing reads as a dash, a reply of another shape as an outline.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from itertools import groupby

from framebus.cli.fields import Fields, list_of
from framebus.contract.words import CuredBy
from framebus.invocation.tables import duration, outline, table

_INDENT = "    "
_LINES = 8
"""Lines of the kernel's log that are shown of one incident; --json has all."""


def holders(result: object, now_utc_ns: int) -> str:
    """Return who has the device: a line for each process, then what could not be seen."""
    if list_of("holders", result) is None:
        return outline(result)
    reply = Fields(result)
    seen_utc_ns = reply.number("seen_utc_ns")
    late: list[str] = []
    if reply.text("fresh") == "no":
        if not seen_utc_ns:
            return "who has the camera's device is not known: the look has not ended yet"
        ago = duration((now_utc_ns - seen_utc_ns) / 1e9)
        late = [f"note: this was seen {ago} ago, and a new look has not ended yet"]
    device, own = reply.text("device"), reply.number("pid")
    rows = [_holder(each, own, now_utc_ns) for each in reply.each("holders")]
    if device == "-":
        lines = ["the camera's device is not there now"]
    elif rows:
        lines = [table(rows, header=["PID", "USER", "RUNS FOR", "UNIT", "HAS IT BY", "COMMAND"])]
    else:
        lines = [f"no process is seen to have {device}"]
    notes = [f"note: {note}" for note in reply.texts("notes")]
    return "\n".join([*lines, *late, *notes])


def _holder(holder: Fields, own: int, now_utc_ns: int) -> list[str]:
    pid = holder.number("pid")
    whose = "this daemon: " if pid == own else ""
    return [
        str(pid),
        holder.text("user"),
        duration((now_utc_ns - holder.number("since_utc_ns")) / 1e9),
        holder.text("unit"),
        holder.text("how"),
        f"{whose}{holder.text('command')}",
    ]


def incidents(result: object, zone: tzinfo | None = None) -> str:
    """Return incidents as they came, newest first; times are local, or of `zone`."""
    if list_of("incidents", result) is None:
        return outline(result)
    reply = Fields(result)
    now = reply.text("now")
    lines = [incident(each, now=now, zone=zone) for each in reply.each("incidents")]
    if not lines:
        lines.append("no frames have been lost, as far as is known")
    if left_off := reply.number("left_off"):
        lines.append(f"{left_off} older ones are left off: limit=100 asks for as many as are known")
    journal = reply.at("journal")
    if journal.text("trouble") != "-":
        lines.append(
            f"incidents are not kept in {journal.text('path')}: {journal.text('trouble')} "
            f"({journal.text('unwritten')} times)"
        )
    return "\n".join(lines)


def incident(told: Fields, *, now: str = "", zone: tzinfo | None = None) -> str:
    """Return one incident: a line, and what is known of it below; `now` goes on still."""
    began = _time(told.number("began_utc_ns"), zone)
    lines = [
        f"{began:%Y-%m-%d %H:%M:%S}  {_length(told, now)}: {told.at('cause').text('message')}",
        f"{_INDENT}cause     {told.text('causes')} (while {told.text('state')})",
    ]
    if tried := _tried(told.each("tried")):
        lines.append(f"{_INDENT}tried     {tried}")
    if (by := told.text("cured_by")) != "-":
        lines.append(f"{_INDENT}cured by  {'a person' if by == CuredBy.PERSON else by}")
    if since_utc_ns := told.number("fallback_utc_ns"):
        lines.append(
            f"{_INDENT}meanwhile the fallback, from {_time(since_utc_ns, zone):%H:%M:%S} on"
        )
    for each in told.each("holders"):
        unit = "" if each.text("unit") == "-" else f", {each.text('unit')}"
        lines.append(
            f"{_INDENT}held by   {each.text('pid')} ({each.text('user')}{unit}; "
            f"{each.text('how')}): {each.text('command')}"
        )
    lines += _kernel_log(told.each("kernel_log"), zone)
    lines += [f"{_INDENT}note      {note}" for note in told.texts("notes")]
    return "\n".join(lines)


def _length(told: Fields, now: str) -> str:
    away = duration(told.real("away_s"))
    if told.text("ended_utc_ns") != "-":
        return f"{away} without frames"
    return (
        f"{away} without frames so far" if told.text("id") == now else f"over {away} without frames"
    )


def _tried(tries: list[Fields]) -> str:
    """Return what was tried, in order; the same again and again is said once, with a count."""
    told = []
    for words, run in groupby(tries, _try):
        count = sum(max(1, each.number("times")) for each in run)
        told.append(f"{words} {count} times" if count > 1 else words)
    return ", ".join(told)


def _try(tried: Fields) -> str:
    note = tried.text("note")
    return tried.text("rung") + (f" ({note})" if note != "-" else "")


def _kernel_log(log: list[Fields], zone: tzinfo | None) -> list[str]:
    """Return the newest lines; what is repeated is said once, with a count."""
    runs = [list(run) for _, run in groupby(log, lambda line: line.text("text"))]
    lines = []
    for first, *more in runs[-_LINES:]:
        at = _time(first.number("utc_ns"), zone)
        times = f" ({1 + len(more)} times)" if more else ""
        lines.append(f"{_INDENT}kernel    {at:%H:%M:%S} {first.text('text')}{times}")
        if first.text("meaning") != "-":
            lines.append(f"{_INDENT}          = {first.text('meaning')}")
    return lines


def _time(utc_ns: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(utc_ns / 1e9, tz=UTC).astimezone(zone)
