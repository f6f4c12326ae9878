"""Metric families that are filled in sample by sample. Pure; knows nothing of cameras."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

_PREFIX = "framebus_"
_WORD_MAX = 64

Labels = Mapping[str, str]


class MetricFamilies:
    """One answer in the making. A sample without a value (None) is left out."""

    def __init__(self) -> None:
        self._families: dict[str, Any] = {}

    def gauge(self, name: str, about: str, value: object, labels: Labels) -> None:
        """Add a sample of something that rises and falls."""
        number = as_number(value)
        if number is not None:
            family = self._family(GaugeMetricFamily, name, about, labels)
            family.add_metric(list(labels.values()), number)

    def counter(self, name: str, about: str, value: object, labels: Labels) -> None:
        """Add a sample of something that only rises; `name` is without its `_total`."""
        number = as_number(value)
        if number is not None:
            family = self._family(CounterMetricFamily, name, about, labels)
            family.add_metric(list(labels.values()), number)

    def info(self, name: str, about: str, labels: Labels, texts: Labels) -> None:
        """Add a sample that says something in words; `name` is without its `_info`."""
        family = self._family(InfoMetricFamily, name, about, labels)
        family.add_metric(list(labels.values()), dict(texts))

    def histogram(
        self,
        name: str,
        about: str,
        bounds: Sequence[float],
        numbers: Sequence[int],
        sum_: float,
        labels: Labels,
    ) -> None:
        """Add a histogram: how many were in each bucket, the last of which has no bound."""
        family = self._family(HistogramMetricFamily, name, about, labels)
        uppers = [*(str(bound) for bound in bounds), "+Inf"]
        buckets = [(upper, sum(numbers[: place + 1])) for place, upper in enumerate(uppers)]
        family.add_metric(list(labels.values()), buckets=buckets, sum_value=sum_)

    def collect(self) -> Iterator[Metric]:
        """Yield the families, as the registry of prometheus_client wants it."""
        yield from self._families.values()

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return all of it and its Content-Type, in the form that the header `accept` prefers."""
        encoder, content_type = choose_encoder(accept)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return encoder(registry), content_type

    def _family(self, kind: Callable[..., Metric], name: str, about: str, labels: Labels) -> Any:
        family = self._families.get(name)
        if family is None:
            family = kind(_PREFIX + name, about, labels=list(labels))
            self._families[name] = family
        return family


def as_number(value: object) -> float | None:
    """Return what JSON has as a number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def as_seconds(utc_ns: object) -> float | None:
    """Return nanoseconds since 1970 as seconds."""
    number = as_number(utc_ns)
    return None if number is None else number / 1e9


def as_word(value: object) -> str:
    """Return a word for a label; empty for what is none."""
    return value[:_WORD_MAX] if isinstance(value, str) else ""
