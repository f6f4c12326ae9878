"""Metric families that are filled in sample by sample. Pure; knows nothing of cameras."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from web_workers.metrics.catalogue import COUNTERS, GAUGES, HISTOGRAMS, INFOS

if TYPE_CHECKING:  # it brings TLS and urllib in, and most web tiers are never scraped
    from prometheus_client.core import Metric

_PREFIX = "framebus_"
_WORD_MAX = 64
_KINDS = {
    **dict.fromkeys(GAUGES, "GaugeMetricFamily"),
    **dict.fromkeys(COUNTERS, "CounterMetricFamily"),
    **dict.fromkeys(INFOS, "InfoMetricFamily"),
    **dict.fromkeys(HISTOGRAMS, "HistogramMetricFamily"),
}
_ABOUT = {**GAUGES, **COUNTERS, **INFOS, **HISTOGRAMS}


class MetricFamilies:
    """One answer in the making, of the families in catalogue.py.

    Labels are words: what is no text is empty. So is what an info says.
    """

    def __init__(self) -> None:
        self._families: dict[str, Any] = {}

    def add(self, name: str, value: object, /, **labels: object) -> None:
        """Add a sample of a gauge or a counter; without a number there is none."""
        number = as_number(value)
        if number is not None:
            self._add(name, labels, number)

    def info(self, name: str, texts: Mapping[str, object], /, **labels: object) -> None:
        """Add a sample that says something in words."""
        self._add(name, labels, _words(texts))

    def histogram(
        self, name: str, bounds: Sequence[float], numbers: Sequence[int], sum_: float, **labels: str
    ) -> None:
        """Add a histogram: how many were in each bucket, the last of which has no bound."""
        uppers = [*(str(bound) for bound in bounds), "+Inf"]
        buckets = [(upper, sum(numbers[: place + 1])) for place, upper in enumerate(uppers)]
        self._add(name, labels, buckets, sum_)

    def collect(self) -> Iterator[Metric]:
        """Yield the families, as the registry of prometheus_client wants it."""
        yield from self._families.values()

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return all of it and its Content-Type, in the form that the header `accept` prefers."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder

        encoder, content_type = choose_encoder(accept)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return encoder(registry), content_type

    def _add(self, name: str, labels: Mapping[str, object], *value: object) -> None:
        family = self._families.get(name)
        if family is None:
            kind = getattr(import_module("prometheus_client.core"), _KINDS[name])
            family = kind(_PREFIX + name, _ABOUT[name], labels=list(labels))
            self._families[name] = family
        family.add_metric(list(_words(labels).values()), *value)


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


def _words(texts: Mapping[str, object]) -> dict[str, str]:
    return {key: as_word(text) for key, text in texts.items()}
