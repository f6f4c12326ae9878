"""From flags, environment and file to frozen settings. Pure but for reading the file.

Precedence: flag, environment variable (click reads both into `flags`), file, default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from framebus.errors import UsageError
from framebus.names import DEFAULT_CAMERA, check_camera_name
from framebus.options import file as config
from framebus.ring.layout import LARGEST_CAPACITY, SMALLEST_CAPACITY
from framebus.spelling import nearest
from framebus.units import byte_count, frame_rate, frame_size

from capture_daemon.devices.sysfs import BadPort, UsbPort
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import FROZEN_AFTER_S, CaptureRequest
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Request

LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_SOURCE = "auto"
DEFAULT_LOG_LEVEL = "info"
NO_FALLBACK = "none"
"""What `--fallback-source` says where a file's is not wanted."""
SOURCE_MAX = 4000
"""Characters of a source's text."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one daemon was asked to do; never changed."""

    name: str
    request: CaptureRequest
    fallback: SourceSpec | None
    """What is shown while the camera is given up; None: nothing."""
    ring_size: int | None
    """Bytes of the ring's arena; None: the default, or less where there is no room for that."""
    log_level: str
    end_holder: bool = False
    """Whether an earlier daemon of ours that still has the device may be ended."""
    power_ports: tuple[str, ...] = ()
    """The USB ports whose power may be switched."""
    control_group: str | None = None
    """The group that may command; None: the daemon's own."""


def settings(flags: Mapping[str, object]) -> Settings:
    """Resolve the command's options; None in `flags` means "not given". Raises UsageError."""
    path = flags.get("config")
    file = config.load(Path(str(path)) if path is not None else None)
    name = check_camera_name(_name(flags.get("name"), file))
    values = file.for_camera(name)

    def text(key: str, default: str | None = None) -> str | None:
        value = config.pick(flags.get(key), values.get(key), default)
        return None if value is None else str(value)

    if text("source") is None:
        _check_meant(name, file)
    source = parse_source(str(text("source", DEFAULT_SOURCE)))
    fallback = parse_fallback(text("fallback_source"))
    check_fallback(fallback, source)
    ring_size = text("ring_size")
    log_level = text("log_level", DEFAULT_LOG_LEVEL)
    return Settings(
        name=name,
        request=CaptureRequest(
            source,
            request(text("size"), text("fps")),
            frozen_after_s=_seconds("frozen_after", str(text("frozen_after", f"{FROZEN_AFTER_S}"))),
        ),
        fallback=fallback,
        ring_size=None if ring_size is None else _ring_size(ring_size),
        log_level=_log_level(str(log_level)),
        end_holder=_switch("end_holder", text("end_holder", "false")),
        power_ports=_power_ports(
            config.pick(flags.get("power_ports"), values.get("power_ports"), ())
        ),
        control_group=text("control_group"),
    )


def parse_source(text: str) -> SourceSpec:
    """Return what a `--source` text means. Raises UsageError."""
    if len(text) > SOURCE_MAX:
        raise UsageError(f"a source has at most {SOURCE_MAX} characters, not {len(text)}")
    return spec.parse(text)


def parse_fallback(text: str | None) -> SourceSpec | None:
    """Return what a `--fallback-source` text means, None if there is to be none.

    Raises UsageError.
    """
    if text is None or text.strip() == NO_FALLBACK:
        return None
    fallback = parse_source(text)
    if fallback.kind == "auto":
        raise UsageError("a fallback is a source of its own: write test, or say which camera")
    return fallback


def check_fallback(fallback: SourceSpec | None, source: SourceSpec) -> None:
    """Raise UsageError if the fallback of `source` is nothing else than that."""
    if fallback is None:
        return
    if (fallback.kind, fallback.argument) == (source.kind, source.argument):
        raise UsageError("a source cannot be its own fallback: name another source")


def request(size: str | None, fps: str | float | None) -> Request:
    """Return what to ask a source for; None leaves it to the source. Raises UsageError."""
    width, height = (None, None) if size is None else frame_size(size)
    if isinstance(fps, str):
        try:
            fps = float(fps)
        except ValueError:
            raise UsageError(f"{fps!r} is no frame rate: write a number, as in 30") from None
    return Request(width, height, None if fps is None else frame_rate(fps))


def _name(flag: object, file: config.Config) -> str:
    """Return the camera's name; a file that speaks of one camera only need not be told which."""
    if flag is not None:
        return str(flag)
    cameras = file.cameras
    if len(cameras) > 1 and "name" not in file.common:
        raise UsageError(
            f"the configuration has several cameras: say which with --name ({', '.join(cameras)})"
        )
    return str(config.pick(None, file.common.get("name"), (*cameras, DEFAULT_CAMERA)[0]))


def _check_meant(name: str, file: config.Config) -> None:
    """Raise UsageError for a name that a file of cameras lacks: `auto` would take another's."""
    known = {*file.cameras, *file.tables} if file.tables or "cameras" in file.common else {name}
    if name not in known:
        raise UsageError(
            f"the configuration has no camera {name!r}{nearest(name, known)} "
            f"(else write a table [camera.{name}], or give its --source)"
        )


def _ring_size(text: str) -> int:
    size = byte_count(text)
    if not SMALLEST_CAPACITY <= size <= LARGEST_CAPACITY:
        raise UsageError(
            f"a ring of {text} is out of range: use {SMALLEST_CAPACITY} to {LARGEST_CAPACITY} bytes"
        )
    return size


def _switch(name: str, text: str | None) -> bool:
    word = str(text).lower()
    if word not in ("true", "false"):
        raise UsageError(f"{text!r} is no answer to {name}: use true or false")
    return word == "true"


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 86400:
        raise UsageError(f"{name} is a number of seconds from 0 to 86400, not {text!r}")
    return seconds


def _power_ports(value: object) -> tuple[str, ...]:
    """Return the ports of a list, or of a text with commas."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise UsageError('power_ports is a list of USB ports, as in ["1-1.2"]')
    try:
        return tuple(UsbPort(str(name).strip()).name for name in names)
    except BadPort as error:
        raise UsageError(f"power_ports: {error}") from error


def _log_level(text: str) -> str:
    if text not in LOG_LEVELS:
        raise UsageError(f"{text!r} is no log level: use {', '.join(LOG_LEVELS)}")
    return text
