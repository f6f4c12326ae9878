"""The measured table as docs/recovery.md has it: the text between two marks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framebus.contract.words import Rung

from tests.guest.recovery.cases import Case, Fault
from tests.guest.recovery.results import END_CASE, Figures, Result, figures, quantile
from tests.guest.recovery.table import FAULTS

BEGIN = "<!-- measured: begin (written by python -m tests.guest.recovery --write-docs) -->"
END = "<!-- measured: end -->"
_ASKED_S = {"wait-for-holder": 2, "restart-stream": 2, "reopen": 2, "usb-reset": 8}
"""What the 99th percentile of a recovery by each rung may be at most, seconds."""
_RUNGS_HEAD = "| rung | runs | 10 frames s, median / 99th / longest | asked |\n|---|---|---|---|\n"
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


def written(page: str, table: str, begin: str = BEGIN, end: str = END) -> str:
    """Return the page with `table` between its marks. Raises ValueError without the marks."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page lacks the lines {begin!r} and {end!r}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


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
    releases = ", ".join(sorted({result.release for result in results} - {""}))
    revisions = ", ".join(sorted({result.revision[:12] for result in results}))
    lines = "".join(_row(case.fault, case.state.value, line) for case, line in rows)
    runs = sum(line.runs for _, line in rows)
    ok = sum(line.ok for _, line in rows)
    head = (
        f"### Kernel {releases} (`{kernel}`), commit {revisions}, {rates} frames a second\n\n"
        f"{ok} of {runs} runs ok.\n\n"
    )
    return "".join(
        [head, _HEAD, lines, "\n", _rungs(results), _ends(by_case.get(END_CASE)), _problems(rows)]
    )


def _rungs(results: Sequence[Result]) -> str:
    """Return how long recovery took by the rung that cured it, without what the fault took."""
    own_s = {fault.name: fault.own_s for fault in FAULTS}
    by_rung: dict[str, list[float]] = {}
    for result in results:
        if result.ten_s is not None and result.rung:
            took_s = result.ten_s - own_s.get(result.case.partition("@")[0], 0.0)
            by_rung.setdefault(result.rung, []).append(took_s)
    lines = ""
    for rung in Rung:
        if found := by_rung.get(rung.value):
            asked_s = _ASKED_S.get(rung.value)
            spread = " / ".join(f"{quantile(found, share):.2f}" for share in (0.5, 0.99, 1.0))
            asked = f"{asked_s} s" if asked_s else "-"
            lines += f"| {rung.value} | {len(found)} | {spread} | {asked} |\n"
    return f"By the rung that cured it:\n\n{_RUNGS_HEAD}{lines}" if lines else ""


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
