"""Reads the TOML file of `--config`: one file for the daemon, the web tier and `framebus up`.

    log_level = "info"            # for every camera, unless its table says otherwise
    ring_size = "64M"
    bind = "127.0.0.1:8080"       # for the web tier
    workers = 2

    [camera.front]                # one table per camera
    source = "v4l2:/dev/video0"
    size = "1280x720"
    fps = 30

An unknown key, or one where it means nothing, is an error that names file, table and the nearest
right one: an option that is silently ignored costs somebody an evening. Names and types are checked
here and for the whole file; a value is read when it counts (chosen.py), so that a wrong one of one
camera ends no other's daemon.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framebus.errors import BadCameraName, NoPermission, UsageError, raise_shortage
from framebus.names import check_camera_name
from framebus.options.option import Option, Scope
from framebus.options.table import CAMERAS, NAME, TABLE
from framebus.spelling import closest, nearest, quoted

_SIZE_MAX = 1 << 20
_KEYS = {option.name: option for option in TABLE if option.filed}
"""What may stand at the top of the file, besides the cameras' tables."""
_CAMERA_KEYS = {name: each for name, each in _KEYS.items() if each.scope is Scope.CAPTURE}
"""What a camera's table may hold; at the top of the file it holds for every camera."""
_TYPE_NAMES = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list of texts",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class File:
    """One configuration file, checked for its keys and types. Empty without a file."""

    common: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """One per camera."""
    where: str = ""
    """The file's name, for people."""

    def find(self, option: Option[Any], camera: str | None) -> tuple[object, str] | None:
        """Return the value of an option for a camera, and where it stands; None for none."""
        table = self.tables.get(camera or "", {})
        if option.name in table:
            return table[option.name], f"{self.where}: [camera.{camera}]: {option.name}"
        if option.name in self.common:
            return self.common[option.name], f"{self.where}: {option.name}"
        return None

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras that this file speaks of: `cameras`, else its tables, else `name`."""
        listed = self.common.get(CAMERAS.name)
        if isinstance(listed, list):
            return tuple(listed)
        name = self.common.get(NAME.name)
        return tuple(self.tables) or (() if name is None else (str(name),))

    @property
    def default_camera(self) -> str | None:
        """The camera that is meant by none: `name`, else the first, None where there is none."""
        name = self.common.get(NAME.name)
        return str(name) if name is not None else next(iter(self.cameras), None)


def load(path: Path | None) -> File:
    """Read a file; no path is an empty configuration.

    Raises UsageError naming file and key, and NoPermission for a file that may not be read.
    """
    if path is None:
        return File()
    try:
        with path.open("rb") as file:  # a pipe will do, and what never ends will not
            data = file.read(_SIZE_MAX + 1)
        text = data.decode()
    except PermissionError as error:
        raise NoPermission(
            f"cannot read the configuration {path}: let user id {os.geteuid()} read it"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise_shortage(error, f"cannot read the configuration {path}")
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"cannot read the configuration {path}: {reason}; name a TOML file with --config"
        ) from error
    if len(data) > _SIZE_MAX:
        raise UsageError(f"{path} has over {_SIZE_MAX} bytes: name a TOML file with --config")
    return parse(text, str(path))


def parse(text: str, where: str) -> File:
    """Check the text of a file named `where` in errors. Raises UsageError."""
    import tomllib  # it costs a twentieth of the daemon's start, and many have no file

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not TOML: {error}") from error
    tables = document.pop("camera", {})
    if isinstance(tables, list):
        raise UsageError(f"{where}: did you mean cameras = […]? [camera.NAME] is a table")
    if not isinstance(tables, dict):
        raise UsageError(f"{where}: cameras are tables: write [camera.front]")
    _check(document, _KEYS, where)
    for name, table in tables.items():
        _check_name(name, where)
        if not isinstance(table, dict):
            table_of = "front" if name in _CAMERA_KEYS else name
            raise UsageError(
                f"{where}: [camera]: {name!r} is no camera's table: write [camera.{table_of}]"
            )
        _check(table, _CAMERA_KEYS, f"{where}: [camera.{name}]", table=name)
    file = File(document, tables, where)
    named = document.get(NAME.name)
    for name in file.cameras:
        _check_name(name, where)
    if named is not None and named not in file.cameras:
        raise UsageError(
            f"{where}: name: {quoted(str(named)) or 'this'} is none of its cameras"
            f"{nearest(str(named), file.cameras)} (the one that is meant where none is named)"
        )
    return file


def _check_name(name: str, where: str) -> None:
    try:
        check_camera_name(name)
    except BadCameraName as error:
        raise UsageError(f"{where}: {error}") from error


def _check(
    values: Mapping[str, object],
    known: Mapping[str, Option[Any]],
    where: str,
    *,
    table: str | None = None,
) -> None:
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"{where}: {_unknown(key, value, known, table)}")
        kind = known[key].kind
        if key == CAMERAS.name and isinstance(value, dict):
            name = quoted(next(iter(value), "")).strip("'") or "front"
            raise UsageError(
                f"{where}: [cameras.{name}]: a camera's table is [camera.{name}], without s"
            )
        if not _fits(value, kind.types):
            kinds = [each for each in kind.types if not (each is int and float in kind.types)]
            wanted = " or ".join(_TYPE_NAMES[each] for each in kinds)
            right = "" if bool in kinds else f" ({kind.right})"
            raise UsageError(f"{where}: {key} must be {wanted}{right}, not {_kind_of(value)}")


def _unknown(key: str, value: object, known: Mapping[str, object], table: str | None) -> str:
    """Return what there is to say of a key that means nothing where it stands."""
    if key == NAME.name:
        return f"'name' means nothing here: the camera's name is its table's, {table}"
    if key in _KEYS:
        return f"{key!r} is of no single camera: write it above the first table"
    hint = nearest(key, [*known, *(() if table else ("camera",))])
    if table and closest(key, known) is None and (meant := closest(key, _KEYS)):
        hint = f": did you mean {meant!r}, above the first table?"
    if isinstance(value, dict) and quoted(key):
        hint += f" (a camera's table is [camera.{key}])"
    return f"unknown key {quoted(key) or 'in quotes'}{hint}"


def _fits(value: object, types: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in types
    if isinstance(value, list):
        return list in types and all(isinstance(each, str) for each in value)
    return isinstance(value, types)


def _kind_of(value: object) -> str:
    """Return what a value is, and not what it says: that may be a camera's URL."""
    match value:
        case bool():
            return _TYPE_NAMES[bool]
        case int():
            return "a number"
        case float():
            return "a number with a point"
        case list() if not _fits(value, (list,)):
            return "a list of something else"
        case _:
            return _TYPE_NAMES.get(type(value), "a table or a date")
