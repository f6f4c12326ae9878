"""A camera's controls (brightness, exposure, focus): list them, read them, set them.

Ioctls only, one at a time, so that they run from another thread while the camera streams. What may
be set to what is decided in control_rules.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from linuxpy.video import raw
from linuxpy.video.raw import IOC, ControlFlag, CtrlType

from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2 import query
from capture_daemon.v4l2.control_rules import Control, plan, slug
from capture_daemon.v4l2.handle import Handle

_TYPES = {
    CtrlType.INTEGER: "integer",
    CtrlType.BOOLEAN: "boolean",
    CtrlType.MENU: "menu",
    CtrlType.INTEGER_MENU: "menu",
    CtrlType.BUTTON: "button",
    CtrlType.BITMASK: "bitmask",
}
_FLAGS = {
    ControlFlag.INACTIVE: "inactive",
    ControlFlag.READ_ONLY: "read-only",
    ControlFlag.WRITE_ONLY: "write-only",
    ControlFlag.GRABBED: "grabbed",
    ControlFlag.VOLATILE: "volatile",
}


def describe(handle: Handle) -> list[Control]:
    """Return the controls that a number can set, without asking the camera for values."""
    found: list[Control] = []
    answer = raw.v4l2_queryctrl(id=ControlFlag.NEXT_CTRL)
    while handle.enumerate(IOC.QUERYCTRL, answer):
        kind = _TYPES.get(answer.type)
        if kind is not None and not answer.flags & ControlFlag.DISABLED:
            label = query.text(answer.name)
            found.append(
                Control(
                    id=answer.id,
                    name=slug(label),
                    label=label,
                    type=kind,
                    minimum=answer.minimum,
                    maximum=answer.maximum,
                    step=answer.step,
                    default=answer.default_value,
                    flags=frozenset(word for bit, word in _FLAGS.items() if answer.flags & bit),
                    menu=_menu(handle, answer) if kind == "menu" else {},
                )
            )
        answer = raw.v4l2_queryctrl(id=answer.id | ControlFlag.NEXT_CTRL)
    return found


def _menu(handle: Handle, control: raw.v4l2_queryctrl) -> dict[int, str]:
    items: dict[int, str] = {}
    for index in range(control.minimum, control.maximum + 1):
        item = raw.v4l2_querymenu(id=control.id, index=index)
        if handle.enumerate(IOC.QUERYMENU, item):  # a menu may have holes
            numbers = control.type == CtrlType.INTEGER_MENU
            items[index] = str(item.value) if numbers else query.text(item.name)
    return items


def documents(handle: Handle) -> list[dict[str, object]]:
    """Return all controls with their values. Raises SourceError only when the device is away."""
    return [control.document(_value(handle, control)) for control in describe(handle)]


def _value(handle: Handle, control: Control) -> int | None:
    if control.type == "button" or "write-only" in control.flags:
        return None
    answer = raw.v4l2_control(id=control.id)
    try:
        handle.ioctl(IOC.G_CTRL, answer)
    except SourceError as error:
        if error.code in ("control-refused", "device-busy"):
            return None
        raise
    return int(answer.value)


def set_controls(handle: Handle, values: Mapping[str, object]) -> dict[str, int | None]:
    """Set controls by name or by number; return what the driver says they are now.

    All are checked first; an automatic control is set before what it governs. Raises UsageError,
    and then nothing was changed; SourceError when the camera refuses one, whose message tells which
    were set before.
    """
    steps = plan(describe(handle), values)
    done: list[str] = []
    for control, number in steps:
        try:
            handle.ioctl(IOC.S_CTRL, raw.v4l2_control(id=control.id, value=number))
        except SourceError as error:
            before = f" (set before it: {', '.join(done)})" if done else ""
            raise type(error)(
                error.code,
                f"{control.name}: {error.message}{before}",
                remedy=error.remedy,
                errno=error.errno,
                operation=error.operation,
            ) from error
        done.append(control.name)
    return {control.name: _value(handle, control) for control, _ in steps}
