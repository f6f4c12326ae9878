"""What a person wants captured: frozen, and apart from what the source then grants."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from framebus.options.chosen import Chosen

from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Request


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """The source to open and what to ask of it."""

    spec: SourceSpec
    format: Request = field(default_factory=Request)
    options: Chosen = field(default_factory=Chosen, compare=False, repr=False)
    """What a person chose besides, which makes no other source; every value in it is sound."""
    times: int = 0
    """How often it was begun anew. Another number makes another request, and so another source,
    which knows nothing of what the one before it could not get."""

    def anew(self) -> Self:
        """Return the request to be begun from its top: a person asked."""
        return replace(self, times=self.times + 1)

    def wants_the_same(self, other: CaptureRequest) -> bool:
        """Tell whether `other` differs in nothing that a person asked for."""
        return replace(self, times=other.times) == other
