"""What `configure` makes of its parameters: what is captured, and what is shown instead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.settings.options import check_fallback, parse_fallback
from capture_daemon.settings.spec import SourceSpec, parse


@dataclass(frozen=True, slots=True)
class ConfigureRequest:
    """What is to be captured, and what is to be shown while that cannot be."""

    capture: CaptureRequest
    fallback: SourceSpec | None

    def changed(self, changes: Mapping[str, Any]) -> ConfigureRequest:
        """Return it with what `parsed` has made of parameters changed. Raises UsageError."""
        wanted, source, fallback = self.capture.format, self.capture.spec, self.fallback
        if "size" in changes:
            width, height = changes["size"] or (None, None)
            wanted = replace(wanted, width=width, height=height)
        if "fps" in changes:
            wanted = replace(wanted, fps=changes["fps"])
        source = changes.get("source", source)
        fallback = changes.get("fallback", fallback)
        check_fallback(fallback, source)
        return ConfigureRequest(replace(self.capture, spec=source, format=wanted), fallback)


def parsed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters of `configure` with sources for their texts.

    A text may name another user's home: looking that up may hang. Raises UsageError.
    """
    found = dict(changes)
    if "source" in changes:
        found["source"] = parse(changes["source"])
    if "fallback" in changes:
        found["fallback"] = parse_fallback(changes["fallback"])
    return found
