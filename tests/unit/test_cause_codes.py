"""Every cause's code is on the page that explains it, since programs go by it, and is in use."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from framebus.contract.causes import (
    REMEDIES,
    CaptureCode,
    Cause,
    InnerCode,
    SourceCode,
    ViewerCode,
)

REPOSITORY = Path(__file__).parents[2]
DAEMON = (*get_args(CaptureCode), *get_args(SourceCode))
VIEWER = get_args(ViewerCode)


def explained(code: str, *pages: str) -> bool:
    return any(f"`{code}`" in (REPOSITORY / "docs" / page).read_text() for page in pages)


@pytest.mark.parametrize("code", DAEMON)
def test_a_cause_that_the_daemon_names_is_explained(code: str) -> None:
    assert explained(code, "control.md", "network-cameras.md")


@pytest.mark.parametrize("code", VIEWER)
def test_a_cause_that_the_web_tier_finds_out_is_explained(code: str) -> None:
    assert explained(code, "http.md")


def test_no_cause_is_listed_that_nothing_names() -> None:
    contract = REPOSITORY / "shared" / "framebus" / "contract"
    program = "".join(
        module.read_text()
        for part in ("shared", "capture_daemon", "web_workers")
        for module in (REPOSITORY / part).rglob("*.py")
        if contract not in module.parents
    )
    listed = {*DAEMON, *VIEWER, *get_args(InnerCode)} - {"unknown"}  # a reader's, in the contract
    assert {code for code in listed if f'"{code}"' not in program} == set()


def test_a_cause_with_one_remedy_has_it_and_a_better_one_goes_first() -> None:
    assert Cause("stopped", "capture is stopped").remedy == REMEDIES["stopped"]
    assert Cause("stopped", "capture is stopped", "ask ada").remedy == "ask ada"
    assert Cause("opening", "being opened").remedy == ""


def test_a_cause_is_read_from_any_document() -> None:
    told = Cause.told({"code": "new-one", "message": "a later daemon's", "remedy": None})
    assert (told.code, told.message, told.remedy) == ("new-one", "a later daemon's", "")
    assert Cause.told({}) == Cause("unknown", "the daemon gives no reason")
