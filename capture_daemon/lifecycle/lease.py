"""A camera that is lent to another program: to whom, and until when."""

from __future__ import annotations

from dataclasses import dataclass

from framebus.contract.causes import Cause


@dataclass(frozen=True, slots=True)
class Lease:
    """What a person allowed; `until_ns` is CLOCK_MONOTONIC."""

    device: str
    """Its node."""
    to: str
    until_ns: int

    @property
    def cause(self) -> Cause:
        """Why there are no frames meanwhile."""
        return Cause("lent", f"lent to {self.to}", "`framebus ctl start` takes the camera back")
