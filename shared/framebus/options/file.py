"""Reads the TOML file of `--config`: one file for the daemon, the web tier and `framebus up`.

    log_level = "info"            # for every camera, unless its table says otherwise
    ring_size = "64M"
    bind = "127.0.0.1:8080"       # for the web tier
    workers = 2

    [camera.front]                # one table per camera
    source = "v4l2:/dev/video0"
    size = "1280x720"
    fps = 30

An unknown key is an error that names the nearest known one: a misspelt option that is silently
ignored costs somebody an evening. This file checks names and types; what a value means is for
whoever uses it. Precedence (flag, environment, file, default) is `pick`'s.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from framebus.errors import BadCameraName, NoPermission, UsageError
from framebus.names import check_camera_name
from framebus.spelling import nearest, quoted

_SIZE_MAX = 1 << 20
_TEXT = (str,)
_NUMBER = (int, float)
_TEXTS = (list,)

CAMERA_KEYS: Mapping[str, tuple[type, ...]] = {
    "source": _TEXT,
    "fallback_source": _TEXT,
    "size": _TEXT,
    "fps": _NUMBER,
    "ring_size": (str, int),
    "log_level": _TEXT,
    "frozen_after": _NUMBER,
    "end_holder": (bool,),
    "power_ports": _TEXTS,
    "control_group": _TEXT,
}
"""What a camera's table may hold; at the top of the file it holds for every camera."""
COMMON_KEYS: Mapping[str, tuple[type, ...]] = {
    **CAMERA_KEYS,
    "name": _TEXT,
    "bind": _TEXT,
    "workers": (int,),
    "io_uring": _TEXT,
    "max_viewers": (int,),
    "max_viewers_per_address": (int,),
    "max_rate": (str, int),
    "max_rate_per_address": (str, int),
    "cameras": _TEXTS,
    "view": _TEXT,
    "control": _TEXT,
    "password_file": _TEXT,
    "allow_host": _TEXTS,
    "trusted_proxy": _TEXTS,
    "certfile": _TEXT,
    "keyfile": _TEXT,
}
"""What may stand at the top of the file, besides the cameras' tables."""
_TYPE_NAMES = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list of texts",
}


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration file, checked for its keys and types. Empty without a file."""

    common: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """One per camera."""

    def for_camera(self, name: str) -> Mapping[str, object]:
        """Return the values for one camera: its table's, else those that hold for all."""
        return {**self.common, **self.tables.get(name, {})}

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras that this file speaks of: `cameras`, else its tables, else `name`."""
        listed = self.common.get("cameras")
        if isinstance(listed, list):
            return tuple(str(name) for name in listed)
        if self.tables:
            return tuple(self.tables)
        name = self.common.get("name")
        return (str(name),) if name is not None else ()


def load(path: Path | None) -> Config:
    """Read a file; no path is an empty configuration.

    Raises UsageError naming file and key, and NoPermission for a file that may not be read.
    """
    if path is None:
        return Config()
    try:
        with path.open("rb") as file:  # a pipe will do, and what never ends will not
            data = file.read(_SIZE_MAX + 1)
        text = data.decode()
    except PermissionError as error:
        raise NoPermission(
            f"cannot read the configuration {path}: let user id {os.geteuid()} read it"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"cannot read the configuration {path}: {reason}; name a TOML file with --config"
        ) from error
    if len(data) > _SIZE_MAX:
        raise UsageError(f"{path} has over {_SIZE_MAX} bytes: name a TOML file with --config")
    return parse(text, str(path))


def parse(text: str, where: str) -> Config:
    """Check the text of a file named `where` in errors. Raises UsageError."""
    import tomllib  # it costs a twentieth of the daemon's start, and many have no file

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not TOML: {error}") from error
    tables = document.pop("camera", {})
    if not isinstance(tables, dict):
        raise UsageError(f"{where}: cameras are tables: write [camera.front]")
    _check(document, COMMON_KEYS, where, extra=("camera",))
    for name, table in tables.items():
        _check_name(name, where)
        if not isinstance(table, dict):
            raise UsageError(f"{where}: {name!r} is no table: write [camera.{name}]")
        _check(table, CAMERA_KEYS, f"{where}: [camera.{name}]")
    listed = document.get("cameras", [])
    for name in listed:
        _check_name(name, where)
    return Config(document, tables)


def pick(flag: object, value: object, default: object) -> object:
    """Return what was given on the command line or in its environment, else the file's, else
    the default. None means "not given"."""
    if flag is not None:
        return flag
    return default if value is None else value


def _check_name(name: object, where: str) -> None:
    try:
        check_camera_name(str(name))
    except BadCameraName as error:
        raise UsageError(f"{where}: {error}") from error


def _check(
    values: Mapping[str, object],
    known: Mapping[str, tuple[type, ...]],
    where: str,
    extra: Iterable[str] = (),
) -> None:
    for key, value in values.items():
        if key not in known:
            if key in COMMON_KEYS:
                raise UsageError(
                    f"{where}: {key!r} is of no single camera: write it above the first table"
                )
            table = ""
            if isinstance(value, dict) and quoted(key):
                table = f" (a camera's table is [camera.{key}])"
            hint = nearest(key, [*known, *extra])
            name = quoted(key) or "in quotes"
            raise UsageError(f"{where}: unknown key {name}{hint}{table}")
        misplaced = isinstance(value, bool) and bool not in known[key]
        if key == "cameras" and isinstance(value, dict):
            raise UsageError(f"{where}: a camera's table is [camera.NAME], without s")
        if misplaced or not isinstance(value, known[key]):
            kinds = [kind for kind in known[key] if not (kind is int and float in known[key])]
            wanted = " or ".join(_TYPE_NAMES[kind] for kind in kinds)
            raise UsageError(f"{where}: {key} must be {wanted}, not {_kind_of(value)}")


def _kind_of(value: object) -> str:
    """Return what a value is, and not what it says: that may be a camera's URL."""
    match value:
        case bool():
            return _TYPE_NAMES[bool]
        case int():
            return "a number"
        case float():
            return "a number with a point"
        case _:
            return _TYPE_NAMES.get(type(value), "a table or a date")
