"""What a person may change while the daemon runs, and the parameters of `configure` for it. Pure.

The values come as JSON had them: of any type and any length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from framebus.control.protocol import INVALID_PARAMS
from framebus.errors import UsageError
from framebus.units import frame_rate, frame_size

from capture_daemon.control.refusal import Refusal
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.settings.options import check_fallback, parse_fallback, parse_source
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Request

CONFIGURABLE = ("source", "fallback", "size", "fps")


@dataclass(frozen=True, slots=True)
class ConfigureRequest:
    """What is to be captured, and what is to be shown while that cannot be."""

    capture: CaptureRequest
    fallback: SourceSpec | None

    def changed(self, params: Mapping[str, object]) -> ConfigureRequest:
        """Return it with these parameters changed. Raises Refusal."""
        try:
            wanted = self.capture.format
            if "size" in params:
                wanted = _with_size(wanted, params["size"])
            if "fps" in params:
                wanted = replace(wanted, fps=_fps(params["fps"]))
            source = self.capture.spec
            if "source" in params:
                source = parse_source(_text("source", params["source"]))
            fallback = self.fallback
            if "fallback" in params:
                value = params["fallback"]
                fallback = None if value is None else parse_fallback(_text("fallback", value))
            check_fallback(fallback, source)
        except UsageError as error:
            raise Refusal(INVALID_PARAMS, str(error)) from error
        return ConfigureRequest(replace(self.capture, spec=source, format=wanted), fallback)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key} must be a text, as in {', '.join(spec.FORMS[1:4])}")
    return value


def _with_size(request: Request, value: object) -> Request:
    if value is None:
        return replace(request, width=None, height=None)
    if not isinstance(value, str):
        raise UsageError('size must be a text such as "1280x720", or null for the source\'s own')
    width, height = frame_size(value)
    return replace(request, width=width, height=height)


def _fps(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError("fps must be a number such as 30, or null for the source's own")
    return frame_rate(value)
