"""The table of faults that lasted, as docs/recovery.md has it: the text between two marks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.guest.recovery import report
from tests.guest.recovery.durations import BACK_S, DURATIONS_S, KINDS, lasting
from tests.guest.recovery.report import Circumstances
from tests.guest.recovery.results import Result, quantile

BEGIN = (
    "<!-- durations: begin (written by python -m tests.guest.recovery --durations --write-docs) -->"
)
END = "<!-- durations: end -->"
_FAULTS = {fault.name: fault for fault in lasting()}


def written(page: str, table: str) -> str:
    """Return the page with `table` between its marks. Raises ValueError without the marks."""
    return report.written(page, table, BEGIN, END)


def tables(results: Sequence[Result], circumstances: Circumstances) -> str:
    """Return a table for each kernel, and every problem seen."""
    remark = f" {circumstances.remark}" if circumstances.remark else ""
    parts = [f"Measured {circumstances.date} on {circumstances.machine}.{remark}\n"]
    for kernel in sorted({result.kernel for result in results}):
        here = [one for one in results if one.kernel == kernel and _name(one) in _FAULTS]
        parts.append(_table(kernel, here))
    return "\n".join(parts)


def _table(kernel: str, results: Sequence[Result]) -> str:
    releases = ", ".join(sorted({result.release for result in results} - {""}))
    revisions = ", ".join(sorted({result.revision[:12] for result in results}))
    durations = " | ".join(f"{seconds:g} s" for seconds in DURATIONS_S)
    lines = [
        f"### Kernel {releases} (`{kernel}`), commit {revisions}\n\n",
        f"{sum(one.ok for one in results)} of {len(results)} runs ok.\n\n",
        f"| fault | {durations} |\n|---|{'---|' * len(DURATIONS_S)}\n",
        *(_row(fault.name, fault.says, results) for fault in KINDS),
        "\n",
        _all(results),
    ]
    problems = Counter(f"{one.case}: {text}" for one in results for text in one.problems)
    lines += [f"\n- {text} ({count})" for text, count in problems.items()]
    return "".join(lines) + ("\n" if problems else "")


def _row(kind: str, says: str, results: Iterable[Result]) -> str:
    of_kind = [one for one in results if _FAULTS[_name(one)].kind == kind]
    cells = []
    for seconds in DURATIONS_S:
        back = [
            one.ten_s
            for one in of_kind
            if one.ten_s is not None and _FAULTS[_name(one)].hold_s == seconds
        ]
        cells.append(f"{quantile(back, 0.5):.2f} / {max(back):.2f}" if back else "-")
    return f"| {says} | {' | '.join(cells)} |\n" if any(cell != "-" for cell in cells) else ""


def _all(results: Iterable[Result]) -> str:
    """Say what holds for all runs; what the kernel waited for an answer is not counted."""
    back = [
        max(0.0, one.ten_s - _FAULTS[_name(one)].own_s) for one in results if one.ten_s is not None
    ]
    if not back:
        return "No run had frames again.\n"
    spread = " / ".join(f"{quantile(back, share):.2f}" for share in (0.5, 0.99, 1.0))
    return (
        f"Over all {len(back)} runs, less the 5 s of a request that was not answered: {spread} s "
        f"(median / 99th percentile / longest); asked are {BACK_S:g} s.\n"
    )


def _name(result: Result) -> str:
    return result.case.partition("@")[0]
