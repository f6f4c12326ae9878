"""A camera that is lent to another program: to whom, and until when."""

from __future__ import annotations

from dataclasses import dataclass

from framebus.contract.causes import one_line


@dataclass(frozen=True, slots=True)
class Lease:
    """What a person allowed; `until_ns` is CLOCK_MONOTONIC."""

    id: str
    """Known to its holder alone, who may renew it or give the camera back."""
    device: str
    """Its node."""
    to: str
    until_ns: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", one_line(self.to))
