"""How soon framebus had handed frames to the kernel, by its own count: GET /metrics.

The load client knows when a part has arrived, its own work included. When the last byte of a frame
was handed over, only the server can tell. It counts by bounds, so a share is what there is.
"""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.errors import BenchError

SOON_S = 0.02
"""Up to this age, seconds, a frame is soon enough: docs/performance.md."""
_AGE = "framebus_frame_age_at_send_seconds"


class Handed(NamedTuple):
    """Frames that were handed to all viewers that could take them."""

    soon: int
    """Those of them whose last byte was handed over within `SOON_S` of their capture."""
    all: int

    def __sub__(self, earlier: Handed) -> Handed:
        return Handed(self.soon - earlier.soon, self.all - earlier.all)

    @classmethod
    def parse(cls, text: str) -> Handed:
        """Return what a page of metrics says. Raises BenchError when it says nothing of it."""
        buckets = {
            float(sample.labels["le"]): int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"{_AGE}_bucket"
        }
        try:
            return cls(soon=buckets[SOON_S], all=buckets[float("inf")])
        except KeyError as bound:
            raise BenchError(f"/metrics has no {_AGE} up to {bound} s: measure again") from None

    @classmethod
    def read(cls, port: int) -> Handed:
        """Return what the server on a port of 127.0.0.1 says, up to a second late."""
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)) as connection:
            connection.request("GET", "/metrics")
            return cls.parse(connection.getresponse().read().decode())
