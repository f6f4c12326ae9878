"""The kinds of values that options have, with units and ranges. Pure.

Each takes a text, as flags and variables are; what TOML has is made one (Kind.text). What few need
is imported where it is needed: a daemon that starts reads this.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

from framebus import units
from framebus.errors import UsageError
from framebus.names import check_camera_name
from framebus.options.option import Kind
from framebus.ring.layout import LARGEST_CAPACITY, SMALLEST_CAPACITY

E = TypeVar("E")

UNIX_PROXY = "unix"
"""The trusted proxy that means whoever may connect to a Unix socket."""
_SEPARATORS = {" ": "spaces", ",": "commas"}
_HOST = r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?"


def text(metavar: str, right: str) -> Kind[str]:
    """Return the kind of any text: only who uses it can tell what it means."""
    return Kind(metavar, right, (str,), str)


def words(*allowed: str) -> Kind[str]:
    """Return the kind of one of a few words."""
    right = f"{', '.join(allowed[:-1])} or {allowed[-1]}"

    def parse(value: str) -> str:
        if value not in allowed:
            raise UsageError(f"{value!r} means nothing here: use {right}")
        return value

    return Kind("|".join(allowed), right, (str,), parse)


def whole(least: int, most: int, what: str) -> Kind[int]:
    """Return the kind of a number of something, from `least` to `most`."""

    def parse(value: str) -> int:
        # Not longer than anybody means: int() of a million digits takes its time.
        digits = value if value.isascii() and value.isdecimal() and len(value) < 10 else "-1"
        if not least <= int(digits) <= most:
            raise UsageError(f"{value!r} is no number of {what} from {least} to {most}")
        return int(digits)

    return Kind("COUNT", f"{what}, {least} to {most}", (int,), parse)


def several(each: Kind[E], separator: str) -> Kind[tuple[E, ...]]:
    """Return the kind of a list of values."""

    def parse(value: str) -> tuple[E, ...]:
        parts = (part.strip() for part in value.split(separator))
        return tuple(parse_one(part) for part in parts if part)

    def parse_one(part: str) -> E:
        try:
            return each.parse(part)
        except UsageError as error:
            if any(other in part for other in _SEPARATORS):
                error.args = (f"{error}; {_SEPARATORS[separator]} separate several",)
            raise

    return Kind(each.metavar, each.right, (list,), parse, separator)


def _ring_size(value: str) -> int:
    size = units.byte_count(value)
    if not SMALLEST_CAPACITY <= size <= LARGEST_CAPACITY:
        raise UsageError(f"a ring of {value} is out of range: use {_RING_SIZES}")
    return size


def _switch(value: str) -> bool:
    word = value.lower()
    if word not in ("true", "false"):
        raise UsageError(f"{value!r} is no answer: use true or false")
    return word == "true"


def _rate(value: str) -> int:
    try:
        return units.byte_count(value)
    except UsageError:
        raise UsageError(f"{value!r} is not {_RATES}") from None


def _host(value: str) -> str:
    name = value.lower().removesuffix(".")
    if not re.fullmatch(_HOST, name):
        raise UsageError(f"{value!r} is no host name alone, as in cam.example.org")
    return name


def _proxy(value: str) -> str:
    import ipaddress

    if value == UNIX_PROXY:
        return value
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise UsageError(f"{value!r} is not {_PROXIES}") from None


def _path(value: str) -> Path:
    if not value:
        raise UsageError("'' is no path: name a file, or leave it out")
    return Path(value)


def _usb_port(value: str) -> str:
    if not re.fullmatch(units.USB_PORT, value):
        raise UsageError(f"{value!r} is no USB port: one is named like 1-1.2")
    return value


_RING_SIZES = (
    f"{units.byte_count_text(SMALLEST_CAPACITY)} to {units.byte_count_text(LARGEST_CAPACITY)}"
)
_RATES = "bytes a second, as in 100M; 0: no limit"
_PROXIES = "an address or network, as in 127.0.0.1 or 10.0.0.0/8, or 'unix' for bind unix:PATH"
CAMERA = Kind("NAME", "1 to 32 of a-z, 0-9, _ and -", (str,), check_camera_name)
FRAME_SIZE = Kind("WIDTHxHEIGHT", "pixels, as in 1280x720", (str,), units.frame_size)
FRAME_RATE = Kind("RATE", "frames a second, over 0, at most 1000", (int, float), units.frame_rate)
RING_SIZE = Kind("SIZE", f"bytes, {_RING_SIZES}", (str, int), _ring_size)
SECONDS = Kind("SECONDS", "seconds, 0 to 86400", (int, float), units.seconds)
DURATION = Kind(
    "SECONDS",
    "seconds, 0 to 86400, also as in 90s or 5m",
    (int, float, str),
    lambda value: units.seconds(units.duration_s(value, zero=True)),
)
SWITCH = Kind("true|false", "true or false", (bool,), _switch)
USB_PORT = Kind("PORT,...", "USB ports, as in 1-1.2", (str,), _usb_port)
VIEWERS = whole(0, 1_000_000, "viewers")
RATE = Kind("SIZE", _RATES, (str, int), _rate)
HOST = Kind("NAME", "a host name, as in cam.example.org", (str,), _host)
PROXY = Kind("ADDRESS", _PROXIES, (str,), _proxy)
FILE = Kind("FILE", "a path", (str,), _path)
PEM = Kind("FILE.pem", "a path", (str,), _path)
TOML = Kind("FILE.toml", "a path", (str,), _path)
