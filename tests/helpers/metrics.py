"""Reads what /metrics tells, strictly, with prometheus_client's own parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Series = tuple[str, frozenset[tuple[str, str]]]
"""A sample's name and its labels."""


@dataclass(frozen=True)
class Scrape:
    """One answer."""

    families: dict[str, Metric]
    samples: dict[Series, float]

    def value(self, name: str, **labels: str) -> float | None:
        """One sample, None if it is not there."""
        return self.samples.get((name, frozenset(labels.items())))

    def sum(self, name: str, **labels: str) -> float:
        """All samples of this name that have at least these labels, added up."""
        wanted = frozenset(labels.items())
        return sum(
            value
            for (each, has), value in self.samples.items()
            if (each, wanted | has) == (name, has)
        )

    def labels(self, name: str) -> list[dict[str, str]]:
        """The labels of all samples of this name."""
        return [dict(labels) for each, labels in self.samples if each == name]

    def counters(self) -> dict[Series, float]:
        """Everything that may only rise: counters, and the buckets of histograms."""
        rising = ("_total", "_bucket", "_count")
        return {
            series: value
            for series, value in self.samples.items()
            if series[0].endswith(rising) or series[0].endswith("_seconds_sum")
        }


def parsed(body: bytes, *, openmetrics: bool = False) -> Scrape:
    """Parse an answer; fails on a sample that is there twice, or a family without help."""
    parse: Callable[[str], Iterable[Any]] = parse_openmetrics if openmetrics else parse_text
    families: dict[str, Metric] = {}
    samples: dict[Series, float] = {}
    for family in parse(body.decode()):
        assert family.name not in families, f"{family.name} is there twice"
        assert family.documentation, f"{family.name} has no help"
        families[family.name] = family
        for sample in family.samples:
            series = (sample.name, frozenset(sample.labels.items()))
            assert series not in samples, f"{series} is there twice"
            samples[series] = sample.value
    return Scrape(families, samples)
