"""Parts of the benchmark run one after another, and none takes another's results with it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.errors import BenchError
from benchmarks.part import Measured, Part, Say, Stage
from benchmarks.results import CaptureRow
from benchmarks.runner import Documentation, Run

STARTED = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
CAPTION = "2026-01-02 03:04 UTC, CPU, Linux 6, 30 fps, 3 x 2 s"


class Fake(Part[CaptureRow]):
    kind = CaptureRow

    def __init__(
        self, name: str, out: Path, *, missing: str = "", error: str = "", brief: str = ""
    ) -> None:
        super().__init__(
            Stage(out / "bench", server_core=0, client_core=1, fps=30, seconds=2.0, rounds=3)
        )
        self.name, self.file = name, f"{name}.json"
        self._missing, self._error, self._brief = missing, error, brief
        self.measured = 0

    def missing(self) -> str:
        return self._missing

    def measure(self, say: Say) -> Measured[CaptureRow]:
        if self._error:
            raise BenchError(self._error)
        self.measured += 1
        say("measuring")
        return Measured([CaptureRow.of(self.name, 1, [(1.0, 1.0)])])

    def text(self, rows: Sequence[CaptureRow]) -> str:
        return f"table of {rows[0].size}"

    def brief(self, rows: Sequence[CaptureRow]) -> str:
        return self._brief and f"{self._brief} of {rows[0].size}"


def marked(name: str, inside: str) -> str:
    return f"<!-- make bench writes {name} from here -->\n{inside}\n<!-- {name} to here -->\n"


@pytest.fixture
def said() -> list[str]:
    return []


def run_in(out: Path, said: list[str], page: Path | None = None) -> Run:
    return Run(
        out=out,
        started=STARTED,
        machine=lambda: {"processor": "CPU", "kernel": "6"},
        say=said.append,
        documentation=Documentation(page, page.with_name("readme.md")) if page else None,
    )


def test_each_part_is_shown_with_the_date_of_the_run(tmp_path: Path, said: list[str]) -> None:
    parts = [Fake("a", tmp_path), Fake("b", tmp_path)]
    assert run_in(tmp_path, said).measure(parts) == (["a", "b"], [])
    for name in "ab":
        assert f"\ntable of {name}\n\n{CAPTION}" in said


def test_a_part_that_fails_is_named_and_the_others_are_kept(
    tmp_path: Path, said: list[str]
) -> None:
    parts = [Fake("a", tmp_path), Fake("b", tmp_path, error="it broke"), Fake("c", tmp_path)]
    assert run_in(tmp_path, said).measure(parts) == (["a", "c"], ["b"])
    assert "bench: b: it broke" in said
    assert {path.name for path in tmp_path.glob("*.json")} == {"a.json", "c.json"}


def test_a_part_that_cannot_be_measured_is_left_out_with_the_reason(
    tmp_path: Path, said: list[str]
) -> None:
    part = Fake("a", tmp_path, missing="it needs more cores")
    assert run_in(tmp_path, said).measure([part]) == ([], [])
    assert said == ["bench: leaving a out: it needs more cores"]
    assert not part.measured


def test_the_last_run_is_shown_again_without_measuring(tmp_path: Path, said: list[str]) -> None:
    part, never = Fake("a", tmp_path), Fake("b", tmp_path)
    run_in(tmp_path, []).measure([part])
    assert run_in(tmp_path, said).again([part, never]) == (["a"], [])
    assert part.measured == 1
    assert f"\ntable of a\n\n{CAPTION}" in said
    assert "bench: leaving b out: measure it first" in said


def test_only_the_blocks_of_parts_that_ran_change(tmp_path: Path, said: list[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(marked("a", "old a") + marked("b", "old b"))
    run_in(tmp_path, said, page).measure([Fake("b", tmp_path)])
    text = page.read_text()
    assert text.startswith(marked("a", "old a"))
    assert f"table of b\n\n{CAPTION}.\n" in text
    assert "old b" not in text


def test_what_is_brief_goes_into_readme_and_only_that(tmp_path: Path, said: list[str]) -> None:
    page, readme = tmp_path / "page.md", tmp_path / "readme.md"
    page.write_text(marked("a", "old a") + marked("b", "old b"))
    readme.write_text(marked("a", "old a"))
    parts = [Fake("a", tmp_path, brief="the best"), Fake("b", tmp_path)]
    assert run_in(tmp_path, said, page).measure(parts) == (["a", "b"], [])
    assert f"from here -->\n\nthe best of a\n\n{CAPTION}.\n\n<!--" in readme.read_text()
    assert f"table of a\n\n{CAPTION}.\n" in page.read_text()


def test_a_page_without_a_place_fails_the_part_after_it_was_saved(
    tmp_path: Path, said: list[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    assert run_in(tmp_path, said, page).measure([Fake("a", tmp_path)]) == ([], ["a"])
    assert page.read_text() == "nothing here\n"
    assert (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("cores", "needed", "reason"), [((0, 1), 2, ""), ((0, 0), 1, ""), ((0, 0), 2, "2 cores")]
)
def test_a_part_says_how_many_cores_it_lacks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cores: tuple[int, int],
    needed: int,
    reason: str,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/cc")
    part = Fake("a", tmp_path)
    part.stage = Stage(tmp_path, *cores, fps=30, seconds=2.0, rounds=3)
    part.cores_needed = needed
    assert reason in Part.missing(part)
    assert bool(reason) == bool(Part.missing(part))


def test_without_a_compiler_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert "apt install gcc" in Part.missing(Fake("a", tmp_path))
