"""What few viewers cost, summed up, and how that reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from benchmarks.few_rows import FewRow, Sample, brief, summarise, table
from benchmarks.figures import Report

REPORT = Report(
    elapsed_s=2.0,
    parts=(60, 58),
    bytes=1,
    broken=1,
    backwards=2,
    placeholders=3,
    closed=4,
    ages_ms=((0.5, 98), (9.0, 2)),
)


def sample(
    server: str, percent: Mapping[str, float], *, report: Report | None = None, wakeups: float = 60
) -> Sample:
    return Sample.of(
        report,
        server=server,
        size="640x480",
        frame_bytes=55_000,
        percent=percent,
        wakeups=wakeups,
    )


def framebus(capture: float, serving: float, rest: float, report: Report | None = None) -> Sample:
    shares = {"capture": capture, "serving": serving, "rest": rest}
    return sample("framebus", shares, report=report)


def rounds_of(*pairs: tuple[float, float]) -> list[list[Sample]]:
    """Rounds in which framebus and a peer took so much."""
    return [
        [framebus(mine, 0.0, 0.0), sample("ustreamer", {"together": other})]
        for mine, other in pairs
    ]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def shown(rows: Sequence[FewRow]) -> list[dict[str, str]]:
    names, _, *lines = (cells(line) for line in table(rows).splitlines())
    return [dict(zip(names, line, strict=True)) for line in lines]


def test_all_processes_are_counted_together_and_each_share_by_itself() -> None:
    (row,) = summarise([[framebus(1.0, 0.5, 0.25)]], fps=30)
    assert row.core_percent == 1.75
    assert row.frame_us == pytest.approx(583.3, abs=0.1)
    (line,) = shown([row])
    assert (line["capture"], line["serving"], line["rest"]) == ("1.00", "0.50", "0.25")
    assert (line["core %"], line["µs/frame"]) == ("1.75", "583")


def test_a_ratio_is_taken_within_its_round() -> None:
    mine, other = summarise(rounds_of((2.0, 1.0), (3.0, 3.0), (8.0, 2.0)), fps=30)
    assert mine.times == {"ustreamer": [1.0, 2.0, 4.0]}
    assert other.times == {}
    lines = shown([mine, other])
    assert [line["/ustreamer"] for line in lines] == ["2.00 (1.00-4.00)", ""]


def test_of_two_rounds_the_middle_is_the_geometric_mean() -> None:
    mine, _ = summarise(rounds_of((1.0, 1.0), (4.0, 1.0)), fps=30)
    assert mine.times["ustreamer"] == pytest.approx([1.0, 2.0, 4.0])


def test_one_round_has_no_span_and_a_peer_that_took_nothing_no_ratio() -> None:
    mine, _ = summarise(rounds_of((2.0, 1.0)), fps=30)
    assert shown([mine])[0]["/ustreamer"] == "2.00"
    mine, _ = summarise(rounds_of((2.0, 0.0)), fps=30)
    assert mine.times == {}


def test_what_nobody_watches_has_no_rate_and_no_age() -> None:
    (line,) = shown(summarise([[framebus(1.0, 0.0, 0.0)]], fps=30))
    assert (line["viewers"], line["fps min"], line["age p99 ms"]) == ("0", "", "")


def test_what_viewers_saw_is_told_and_faults_are_summed() -> None:
    cell = [[framebus(1.0, 0.5, 0.0, REPORT)], [framebus(1.0, 0.5, 0.0, REPORT)]]
    (line,) = shown(summarise(cell, fps=30))
    assert (line["viewers"], line["fps min"]) == ("2", "29.0")
    assert (line["age p50 ms"], line["age p99 ms"]) == ("0.50", "9.00")
    assert line["faults"] == "20"


def test_readme_shows_what_each_server_takes_side_by_side() -> None:
    names, _, line = (cells(each) for each in brief(summarise(rounds_of((2, 1)), 30)).splitlines())
    assert names == ["frame", "viewers", "framebus", "ustreamer"]
    assert line == ["640x480", "0", "2.00 %", "1.00 %"]
