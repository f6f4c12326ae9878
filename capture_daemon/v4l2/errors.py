"""What an errno of a V4L2 system call means, as a SourceError that names call, errno and remedy.

The one place where OSError of a device is translated. The table is read from the top: the first row
whose operations and errnos fit. Sources: the kernel's Documentation/userspace-api/media/v4l, and
what uvcvideo was seen to do on 6.1 and 7.2.
"""

from __future__ import annotations

import errno
from collections.abc import Set
from dataclasses import dataclass

from framebus.contract.causes import SourceCode

from capture_daemon.sources.base import SourceError, SourceGone, SourceUnusable

_ANY: Set[str] = frozenset()
_NEGOTIATION = {"S_FMT", "TRY_FMT", "S_PARM"}
_CONTROLS = {"QUERYCTRL", "QUERYMENU", "G_CTRL", "S_CTRL"}


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What some errnos of some operations mean."""

    operations: Set[str]
    errnos: Set[int]
    code: SourceCode
    text: str
    remedy: str
    kind: type[SourceError] = SourceError


_TABLE = (
    _Meaning(
        {"open"},
        {errno.ENOENT, errno.ENXIO, errno.ENODEV},
        "device-absent",
        "there is no such device now",
        "plug the camera in; `framebus devices` lists what is there",
    ),
    _Meaning(
        _ANY,
        {errno.ENODEV, errno.ENXIO},
        "device-gone",
        "the camera was unplugged, or its driver was unbound",
        "plug the camera in again; it is opened by itself when it comes back",
        SourceGone,
    ),
    _Meaning(
        {"open"},
        {errno.EACCES, errno.EPERM},
        "no-permission",
        "this user may not open the device",
        "add the user to the group that owns it: `sudo usermod -aG video $USER`, then log in again",
    ),
    _Meaning(
        {"QUERYCAP"},
        {errno.ENOTTY, errno.EINVAL},
        "not-a-camera",
        "this is not a video device",
        "choose one that `framebus devices` lists",
        SourceUnusable,
    ),
    _Meaning(
        _CONTROLS,
        {errno.EBUSY},
        "device-busy",
        "the camera is not ready, or another program has a higher priority on it",
        "try again in a moment; `framebus ctl holders` tells who has the device",
    ),
    _Meaning(
        _ANY,
        {errno.EBUSY},
        "device-busy",
        "another program has the camera's stream",
        "end the program that has it: `framebus ctl holders` names it",
    ),
    _Meaning(
        _ANY,
        {errno.ENOSPC},
        "no-bandwidth",
        "the USB bus has no bandwidth left for this format",
        "ask for a smaller size or fewer frames a second, or plug other cameras into another bus",
    ),
    _Meaning(
        _NEGOTIATION,
        {errno.EIO, errno.EINVAL, errno.EPROTO, errno.EPIPE, errno.ETIMEDOUT},
        "refused-format",
        "the camera refused the format, or did not answer",
        "ask for another size or rate that `framebus devices --formats DEVICE` lists; "
        "if all are refused, plug the camera out and in",
    ),
    _Meaning(
        {"STREAMON"},
        {errno.EIO, errno.EINVAL, errno.EPROTO, errno.EPIPE, errno.ETIMEDOUT},
        "refused-stream",
        "the camera refused to start, did not answer, or has no alternate setting wide enough",
        "ask for a smaller size or fewer frames a second; if it still refuses, plug it out and in",
    ),
    _Meaning(
        {"DQBUF", "QBUF"},
        {errno.EIO, errno.EINVAL, errno.EPIPE},
        "stream-broken",
        "the driver stopped the stream",
        "it is started again by itself; if it keeps stopping, look at `dmesg`",
    ),
    _Meaning(
        _CONTROLS,
        {errno.EACCES, errno.EPERM},
        "control-locked",
        "the camera does not let this control be changed now",
        "turn off the automatic control that governs it first",
    ),
    _Meaning(
        _CONTROLS,
        {errno.ERANGE},
        "control-range",
        "the camera refused the value",
        "choose a value within the control's range",
    ),
    _Meaning(
        _CONTROLS,
        {errno.EIO, errno.EPROTO, errno.EPIPE, errno.ETIMEDOUT},
        "control-refused",
        "the camera refused, or did not answer",
        "try again; some cameras list controls that they do not have",
    ),
    _Meaning(
        _ANY,
        {errno.ENOMEM},
        "no-memory",
        "the kernel has no memory for the buffers",
        "ask for a smaller size, or free memory",
    ),
    _Meaning(
        _ANY,
        {errno.EMFILE, errno.ENFILE},
        "no-descriptors",
        "no file descriptor is left",
        "raise the limit of open files (LimitNOFILE=)",
    ),
)

_UNKNOWN = _Meaning(
    _ANY,
    frozenset(),
    "device-error",
    "the driver gave an error that has no special meaning here",
    "the kernel's log may tell more: `dmesg | grep -e uvcvideo -e usb`",
)


def translate(operation: str, error: OSError, device: str) -> SourceError:
    """Return the SourceError for an OSError that `operation` ("open", "S_FMT") gave on `device`."""
    number = error.errno or 0
    meaning = next(
        (
            row
            for row in _TABLE
            if number in row.errnos and (not row.operations or operation in row.operations)
        ),
        _UNKNOWN,
    )
    name = errno.errorcode.get(number, str(number))
    return meaning.kind(
        meaning.code,
        f"{operation} on {device}: {name} ({number}): {meaning.text}",
        remedy=meaning.remedy,
        errno=number,
        operation=operation,
    )
