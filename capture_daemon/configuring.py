"""What a person may change while the daemon runs: the parameters of `configure`, made a plan. Pure.

The values come as JSON had them: of any type and any length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from framebus.control.protocol import INVALID_PARAMS
from framebus.errors import UsageError
from framebus.units import frame_rate, frame_size

from capture_daemon.options import parse_source
from capture_daemon.plan import Plan
from capture_daemon.refusal import Refusal
from capture_daemon.sources import spec
from capture_daemon.sources.base import Request

CONFIGURABLE = ("source", "size", "fps")


def configured(plan: Plan, params: Mapping[str, object]) -> Plan:
    """Return the plan with these parameters changed. Raises Refusal; `plan` stays as it is."""
    try:
        request = plan.request
        if "size" in params:
            request = _with_size(request, params["size"])
        if "fps" in params:
            request = replace(request, fps=_fps(params["fps"]))
        source = plan.spec
        if "source" in params:
            text = params["source"]
            if not isinstance(text, str):
                raise UsageError(f"source must be a text, as in {', '.join(spec.FORMS[:3])}")
            source = parse_source(text)
    except UsageError as error:
        raise Refusal(INVALID_PARAMS, str(error)) from error
    return replace(plan, spec=source, request=request)


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
