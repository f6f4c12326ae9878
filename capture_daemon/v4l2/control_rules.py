"""What a control may be set to, and in which order: pure, no ioctls.

Every name and value may come from outside, from anybody who may send commands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from framebus.errors import UsageError
from framebus.spelling import nearest
from linuxpy.video.raw import ControlID, ExposureAutoType

# Which automatic control governs another, and the value at which it lets go. The numbers are
# V4L2's; drivers that have other relations show them by the flag "inactive" only.
_GOVERNORS: Mapping[int, tuple[int, int]] = {
    ControlID.EXPOSURE_ABSOLUTE: (ControlID.EXPOSURE_AUTO, ExposureAutoType.MANUAL),
    ControlID.EXPOSURE: (ControlID.EXPOSURE_AUTO, ExposureAutoType.MANUAL),
    ControlID.IRIS_ABSOLUTE: (ControlID.EXPOSURE_AUTO, ExposureAutoType.MANUAL),
    ControlID.WHITE_BALANCE_TEMPERATURE: (ControlID.AUTO_WHITE_BALANCE, 0),
    ControlID.RED_BALANCE: (ControlID.AUTO_WHITE_BALANCE, 0),
    ControlID.BLUE_BALANCE: (ControlID.AUTO_WHITE_BALANCE, 0),
    ControlID.FOCUS_ABSOLUTE: (ControlID.FOCUS_AUTO, 0),
    ControlID.GAIN: (ControlID.AUTOGAIN, 0),
    ControlID.HUE: (ControlID.HUE_AUTO, 0),
    ControlID.BRIGHTNESS: (ControlID.AUTOBRIGHTNESS, 0),
}
_GOVERNING = frozenset(governor for governor, _ in _GOVERNORS.values())


@dataclass(frozen=True, slots=True)
class Control:
    """One control as the driver describes it."""

    id: int
    name: str
    """The label as a word: "Exposure Time, Absolute" is exposure_time_absolute."""
    label: str
    type: str
    """integer, boolean, menu, button or bitmask."""
    minimum: int
    maximum: int
    step: int
    default: int
    flags: frozenset[str] = frozenset()
    """inactive (an automatic control governs it), read-only, write-only, grabbed, volatile."""
    menu: Mapping[int, str] = field(default_factory=dict)

    def document(self, value: int | None) -> dict[str, object]:
        """Return it as JSON takes it; `value` None where it cannot be read."""
        return {
            "id": self.id,
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "min": self.minimum,
            "max": self.maximum,
            "step": self.step,
            "default": self.default,
            "value": value,
            "menu": {str(index): text for index, text in self.menu.items()},
            "flags": sorted(self.flags),
        }


def slug(label: str) -> str:
    """Return a control's label as one lower-case word."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def plan(known: Sequence[Control], values: Mapping[str, object]) -> list[tuple[Control, int]]:
    """Return what to set to which number, in order: what governs before what is governed.

    Raises UsageError for a name, value or state in which it cannot be set.
    """
    steps: dict[int, tuple[Control, int]] = {}
    for key, value in values.items():
        control = find(known, key)
        if control.id in steps:
            raise UsageError(f"{control.name} is named twice: once is enough")
        steps[control.id] = control, number(control, value)
    for control, _ in steps.values():
        _check_settable(control, known, {id: wanted for id, (_, wanted) in steps.items()})
    return sorted(steps.values(), key=lambda step: step[0].id not in _GOVERNING)


def find(known: Sequence[Control], key: str) -> Control:
    """Return the control with this name, or this number. Raises UsageError."""
    for control in known:
        if key == control.name or key == str(control.id):
            return control
    names = [control.name for control in known]
    hint = nearest(slug(key), names) if names else ": it has none"
    raise UsageError(f"the camera has no control {key!r}{hint}")


def number(control: Control, value: object) -> int:
    """Return the number that the driver takes for `value`. Raises UsageError."""
    if control.type == "button":
        return 0
    if control.type == "menu":
        return _menu_number(control, value)
    if control.type == "boolean" and isinstance(value, bool):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{control.name} takes {_range(control)}, not {value!r}")
    if not control.minimum <= value <= control.maximum:
        raise UsageError(f"{control.name} takes {_range(control)}, not {value}")
    if control.type == "integer" and control.step > 1:
        off = (value - control.minimum) % control.step
        if off:
            below = value - off
            raise UsageError(
                f"{control.name} takes {_range(control)}, not {value}: {below} is the next below"
            )
    return value


def _menu_number(control: Control, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value in control.menu:
        return value
    for index, text in control.menu.items():
        if isinstance(value, str) and slug(value) == slug(text):
            return index
    choices = ", ".join(f"{index} ({text})" for index, text in control.menu.items())
    raise UsageError(f"{control.name} takes one of {choices}, not {value!r}")


def _range(control: Control) -> str:
    if control.type == "boolean":
        return "true or false"
    step = f" in steps of {control.step}" if control.step > 1 else ""
    return f"{control.minimum} to {control.maximum}{step}"


def _check_settable(control: Control, known: Sequence[Control], plan: Mapping[int, int]) -> None:
    if "read-only" in control.flags:
        raise UsageError(f"{control.name} can only be read")
    if "grabbed" in control.flags:
        raise UsageError(f"{control.name} cannot be set while the camera streams")
    governor, free = _GOVERNORS.get(control.id, (0, 0))
    automatic = next((other for other in known if other.id == governor), None)
    if automatic is None:
        if "inactive" in control.flags:
            raise UsageError(
                f"{control.name} is inactive: an automatic control governs it; turn that off first"
            )
        return
    off = automatic.menu.get(free, "off" if automatic.type == "boolean" else str(free))
    if governor in plan and plan[governor] != free:
        raise UsageError(
            f"{control.name} cannot be set together with {automatic.name}, which governs it: "
            f"set {automatic.name} to {free} ({off})"
        )
    if "inactive" in control.flags and governor not in plan:
        raise UsageError(
            f"{control.name} is inactive while {automatic.name} governs it: "
            f"set {automatic.name} to {free} ({off}) first, or in the same call"
        )
