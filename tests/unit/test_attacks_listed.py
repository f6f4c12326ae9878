"""What docs/security.md says of the attacks that were tried: each has the test that it names."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIELD = "test_attacks_field.py"
"""Where those are that the page names without a file."""
NO_ATTACKS = {
    "test_the_same_is_carried_out_for_who_may",
    "test_two_requests_in_order_are_both_answered",
    "test_answers_to_what_is_no_request_have_the_headers_too",
}


def test_every_attack_of_the_documentation_has_its_test() -> None:
    page = (ROOT / "docs/security.md").read_text()
    named = {
        (file or FIELD, name)
        for file, name in re.findall(r"`(?:(test_\w+\.py)::)?(test_\w+)`", page)
    }
    there = {
        (file.name, name)
        for file in (ROOT / "tests/system").glob("test_attacks*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
        if name not in NO_ATTACKS
    }
    assert len(named) >= 25
    assert named == there
