"""How many viewers and how many bytes a second are too many. Pure.

`framebus web` puts what a person chose into these variables (command.py), for the workers to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from framebus.cli.limits import DEFAULT_VIEWERS
from framebus.cli.serving import rate, viewers

MAX_VIEWERS = "FRAMEBUS_MAX_VIEWERS"
MAX_VIEWERS_PER_ADDRESS = "FRAMEBUS_MAX_VIEWERS_PER_ADDRESS"
MAX_RATE = "FRAMEBUS_MAX_RATE"
MAX_RATE_PER_ADDRESS = "FRAMEBUS_MAX_RATE_PER_ADDRESS"


@dataclass(frozen=True, slots=True)
class Limits:
    """What all workers together let in; 0 means no limit."""

    viewers: int = DEFAULT_VIEWERS
    viewers_per_address: int = 0
    rate: int = 0
    """Bytes a second."""
    rate_per_address: int = 0

    @property
    def of_rates(self) -> bool:
        """Whether it matters what a viewer takes."""
        return bool(self.rate or self.rate_per_address)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Limits:
        """Read them; raises UsageError, naming the option."""
        return cls(
            viewers=viewers("--max-viewers", environ.get(MAX_VIEWERS) or str(DEFAULT_VIEWERS)),
            viewers_per_address=viewers(
                "--max-viewers-per-address", environ.get(MAX_VIEWERS_PER_ADDRESS) or "0"
            ),
            rate=rate("--max-rate", environ.get(MAX_RATE) or "0"),
            rate_per_address=rate(
                "--max-rate-per-address", environ.get(MAX_RATE_PER_ADDRESS) or "0"
            ),
        )
