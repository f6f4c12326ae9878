"""The measured table as docs/recovery.md has it: the text between two marks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.guest.recovery.cases import Case, Fault
from tests.guest.recovery.results import END_CASE, Figures, Result, figures
from tests.guest.recovery.table import FAULTS

BEGIN = "<!-- measured: begin (written by python -m tests.guest.recovery --write-docs) -->"
END = "<!-- measured: end -->"
_HEAD = (
    "| fault | state | n | ok | detected s | first frame s | 10 frames s | rung | frames lost "
    "| holders | kernel lines | left over |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Circumstances:
    """Under what the table was measured."""

    date: str
    machine: str
    remark: str = ""
    """A sentence."""


def written(page: str, table: str) -> str:
    """Return the page with `table` between its marks. Raises ValueError without the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def tables(results: Sequence[Result], cases: Sequence[Case], circumstances: Circumstances) -> str:
    """Return a table for each kernel, what they were measured under, and every problem seen."""
    remark = f" {circumstances.remark}" if circumstances.remark else ""
    parts = [f"Measured {circumstances.date} on {circumstances.machine}.{remark}\n"]
    for kernel in sorted({result.kernel for result in results}):
        here = [result for result in results if result.kernel == kernel]
        parts.append(_table(kernel, here, cases))
    return "\n".join(parts)


def _table(kernel: str, results: list[Result], cases: Sequence[Case]) -> str:
    by_case = {line.case: line for line in figures(results)}
    rows = [(case, by_case[case.name]) for case in cases if case.name in by_case]
    order = [fault.name for fault in FAULTS]
    rows.sort(key=lambda row: (order.index(row[0].fault.name), _state_order(row[0])))
    rates = ", ".join(str(rate) for rate in sorted({result.fps for result in results} - {0}))
    releases = ", ".join(sorted({result.release for result in results}))
    revisions = ", ".join(sorted({result.revision[:12] for result in results}))
    lines = "".join(_row(case.fault, case.state.value, line) for case, line in rows)
    runs = sum(line.runs for _, line in rows)
    ok = sum(line.ok for _, line in rows)
    head = (
        f"### Kernel {releases} (`{kernel}`), commit {revisions}, {rates} frames a second\n\n"
        f"{ok} of {runs} runs ok.\n\n"
    )
    return head + _HEAD + lines + _ends(by_case.get(END_CASE)) + _problems(rows)


def _ends(line: Figures | None) -> str:
    """Say what the planned ends of all processes left behind."""
    if line is None:
        return ""
    left = "; ".join(line.left) or "nothing"
    return f"\nThe planned end of all processes, in {line.runs} guests, left over: {left}.\n"


def _state_order(case: Case) -> int:
    return list(type(case.state)).index(case.state)


def _row(fault: Fault, state: str, line: Figures) -> str:
    rungs = ", ".join(
        f"{rung or 'none'}{f' ({count})' if len(line.rungs) > 1 else ''}"
        for rung, count in line.rungs
    )
    cells = [
        fault.says,
        state,
        str(line.runs),
        str(line.ok),
        _spread(line.detected_s),
        _spread(line.first_s),
        _spread(line.ten_s),
        rungs + (" (derived)" if line.derived else ""),
        str(line.lost),
        f"{line.holders}/{line.runs}" if line.holders else "-",
        f"{line.kernel_lines}/{line.runs}" if line.kernel_lines else "-",
        "; ".join(line.left) or "none",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _spread(pair: tuple[float, float] | None) -> str:
    if pair is None:
        return "-"
    median, high = pair
    return f"{median:.2f} / {high:.2f}"


def _problems(rows: Sequence[tuple[Case, Figures]]) -> str:
    lines = [
        f"- {case.name}: {text} ({count} of {line.runs})\n"
        for case, line in rows
        for text, count in line.problems
    ]
    return "\nNot as it must be:\n\n" + "".join(lines) if lines else "\nNo run had a problem.\n"
