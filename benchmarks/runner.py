"""Runs one part after another. Each is shown and saved before the next begins."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import record
from benchmarks.errors import BenchError
from benchmarks.part import Part, Say


@dataclass(frozen=True, slots=True)
class Documentation:
    """Where results are published: a page with a block for each part, and plots beside it."""

    page: Path
    readme: Path

    def write(self, name: str, block: str, brief: str, figure: Path | None) -> None:
        """Put the block of part `name` into the page, and what is `brief` of it into README.

        Raises BenchError when it has no place there.
        """
        for file, text in ((self.page, block), (self.readme, brief)):
            if text:
                file.write_text(record.replace_block(file.read_text(), name, text))
        if figure:
            shutil.copyfile(figure, self.page.parent / figure.name)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark."""

    out: Path
    """Where results are kept."""
    started: datetime.datetime
    machine: Callable[[], Mapping[str, object]]
    """Returns what it runs on; asked once for each part that was measured."""
    say: Say
    documentation: Documentation | None = None
    """None: results are not published."""

    def measure(self, parts: Sequence[Part[Any]]) -> tuple[list[str], list[str]]:
        """Measure, save and show the parts; return the names of those done, and of those failed.

        A part that cannot be measured here is neither: it is left out, and `say` is told why.
        """
        possible = []
        for part in parts:
            if reason := part.missing():
                self.say(f"bench: leaving {part.name} out: {reason}")
            else:
                possible.append(part)
        return self._each(possible, self._measure)

    def again(self, parts: Sequence[Part[Any]]) -> tuple[list[str], list[str]]:
        """Show what an earlier run saved; return as `measure` does."""
        kept = []
        for part in parts:
            if (self.out / part.file).exists():
                kept.append(part)
            else:
                self.say(f"bench: leaving {part.name} out: measure it first")
        return self._each(kept, self._show)

    def _each(
        self, parts: Sequence[Part[Any]], act: Callable[[Part[Any]], None]
    ) -> tuple[list[str], list[str]]:
        done, failed = [], []
        for part in parts:
            try:
                act(part)
                done.append(part.name)
            except BenchError as error:
                self.say(f"bench: {part.name}: {error}")
                failed.append(part.name)
        return done, failed

    def _measure(self, part: Part[Any]) -> None:
        self.say(f"\n{part.name}")
        part.stage.directory.mkdir(parents=True, exist_ok=True)
        measured, machine = part.measure(self.say), self.machine()
        caption = (
            f"{self.started:%Y-%m-%d %H:%M} UTC, {machine['processor']}, "
            f"Linux {machine['kernel']}, {part.how}"
        )
        path = self.out / part.file
        record.save(
            path,
            caption=caption,
            started=self.started,
            machine=machine,
            rows=measured.rows,
            rounds=measured.rounds,
        )
        self.say(f"saved as {path}")
        self._show(part)

    def _show(self, part: Part[Any]) -> None:
        caption, rows = record.load(self.out / part.file, part.kind)
        text = part.text(rows)
        self.say(f"\n{text}\n\n{caption}")
        figure = self.out / part.figure if part.figure else None
        if figure:
            part.draw(rows, figure, caption)
            self.say(f"drawn as {figure}")
        if self.documentation:
            brief = part.brief(rows)
            if brief:
                brief += f"\n\n{caption}."
            self.documentation.write(part.name, f"{text}\n\n{caption}.", brief, figure)
            self.say(f"written to {self.documentation.page}")
