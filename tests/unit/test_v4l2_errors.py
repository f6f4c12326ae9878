from __future__ import annotations

import errno
import os

import pytest

from capture_daemon.sources.base import SourceError, SourceGone, SourceUnusable
from capture_daemon.v4l2.errors import translate


@pytest.mark.parametrize(
    ("operation", "number", "code", "kind"),
    [
        ("open", errno.ENOENT, "device-absent", SourceError),
        ("open", errno.ENODEV, "device-absent", SourceError),
        ("open", errno.EACCES, "no-permission", SourceError),
        ("QUERYCAP", errno.ENOTTY, "not-a-camera", SourceUnusable),
        ("DQBUF", errno.ENODEV, "device-gone", SourceGone),
        ("S_FMT", errno.EBUSY, "device-busy", SourceError),
        ("S_CTRL", errno.EBUSY, "device-busy", SourceError),
        ("S_FMT", errno.EIO, "refused-format", SourceError),
        ("S_PARM", errno.EIO, "refused-format", SourceError),
        ("STREAMON", errno.EIO, "refused-stream", SourceError),
        ("STREAMON", errno.ENOSPC, "no-bandwidth", SourceError),
        ("S_CTRL", errno.EACCES, "control-locked", SourceError),
        ("S_CTRL", errno.ERANGE, "control-range", SourceError),
        ("G_CTRL", errno.EIO, "control-refused", SourceError),
        ("DQBUF", errno.EIO, "stream-broken", SourceError),
        ("REQBUFS", errno.ENOMEM, "no-memory", SourceError),
        ("open", errno.EMFILE, "no-descriptors", SourceError),
        ("REQBUFS", errno.EXDEV, "device-error", SourceError),
    ],
)
def test_errno_has_a_meaning_at_each_stage(
    operation: str, number: int, code: str, kind: type[SourceError]
) -> None:
    error = translate(operation, OSError(number, os.strerror(number)), "/dev/video0")
    assert type(error) is kind
    assert (error.code, error.errno, error.operation) == (code, number, operation)
    assert error.message.startswith(
        f"{operation} on /dev/video0: {errno.errorcode[number]} ({number}): "
    )
    assert error.remedy


def test_error_without_an_errno_is_translated_too() -> None:
    assert translate("mmap", OSError("odd"), "/dev/video0").code == "device-error"
