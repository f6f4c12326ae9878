"""A handful of faults, once each, while viewers watch: frames come back and nothing is left over.

The whole table, and what is measured, is `python -m tests.guest.recovery`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.guest.conftest import leave_out, why_not
from tests.guest.debian import SetupFailed
from tests.guest.recovery import host
from tests.guest.recovery.results import END_CASE, Result
from tests.guest.recovery.table import cases

FPS = 5
"""What a machine that does other things at the same time carries too."""
CASES = (
    "stall@streaming",
    "urb-5@streaming",
    "replug-same@streaming",
    # Of those that last: frames are back some seconds after the end, not half a minute.
    "commit-refused-for-10s@streaming",
    "probe-refused-for-5s@streaming",
)
pytestmark = [pytest.mark.guest, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def results() -> Mapping[str, Result]:
    """Run all of them in one guest."""
    if reason := why_not():
        leave_out(reason)
    found: dict[str, Result] = {}
    plan = [(case.at(FPS), 1) for case in cases(CASES)]
    try:
        host.run("stable", plan, take=lambda result: found.update({result.case: result}))
    except SetupFailed as error:
        leave_out(f"guest tests left out: {error}")
    return found


@pytest.mark.parametrize("case", [*CASES, END_CASE])
def test_frames_come_back_without_a_hand_and_nothing_is_left(
    results: Mapping[str, Result], case: str
) -> None:
    result = results[case]
    assert result.ok, f"{result.problems} {result.left}\n{json.dumps(result.evidence, indent=1)}"
