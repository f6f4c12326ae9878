"""What a person wants captured: frozen, and apart from what the source then grants."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture_daemon.sources.base import Request
from capture_daemon.sources.spec import SourceSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """The source to open and what to ask of it."""

    spec: SourceSpec
    request: Request = field(default_factory=Request)
