"""Which camera `--source auto` takes. The only part of discovery that opens devices."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2 import query
from capture_daemon.v4l2.discovery import Camera, cameras
from capture_daemon.v4l2.formats import COMPRESSED, ENCODABLE, OfferedFormat
from capture_daemon.v4l2.handle import Handle
from capture_daemon.v4l2.ops import DeviceOps, KernelOps

_log = logging.getLogger(__name__)


def offers_of(device: str, ops: DeviceOps | None = None) -> list[OfferedFormat]:
    """Open the node `device`, list what it offers, close it. Raises SourceError.

    A camera that streams elsewhere answers too.
    """
    handle = Handle.open(KernelOps() if ops is None else ops, device)
    try:
        query.identify(handle)
        return query.formats(handle)
    finally:
        handle.close()


def choose(
    present: Iterable[Camera] | None = None, *, ops: DeviceOps | None = None
) -> Camera | None:
    """Return the first camera with MJPEG, else the first that can be encoded, else None.

    Cameras that cannot be asked are passed over, with a warning in the log that says why.
    """
    encodable = None
    for camera in cameras() if present is None else present:
        if not camera.captures:
            continue
        try:
            offered = {offer.fourcc for offer in offers_of(camera.node, ops)}
        except SourceError as error:
            _log.warning("%s is passed over: %s; %s", camera.node, error.message, error.remedy)
            continue
        if offered.intersection(COMPRESSED):
            return camera
        if encodable is None and offered.intersection(ENCODABLE):
            encodable = camera
    return encodable
