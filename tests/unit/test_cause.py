from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from framebus.errors import NoPermission, SegmentInvalid
from framebus.names import CameraNames

from web_workers.cameras.cause import explain, fresh_for_ns

NAMES = CameraNames(Path("/run/x"), "front")


def _code(
    status: Mapping[str, object] | None = None,
    *,
    attached: bool = True,
    trouble: NoPermission | SegmentInvalid | None = None,
    pid: int = 1,
) -> str:
    return explain(NAMES, status or {}, attached=attached, trouble=trouble, holder=lambda: pid).code


def test_the_daemons_own_words_are_passed_on() -> None:
    told = {"code": "device-gone", "message": "unplugged", "remedy": "plug it in"}
    status = {"state": "backoff", "cause": told}
    cause = explain(NAMES, status, attached=True, trouble=None, holder=lambda: 1)
    assert cause.document() == told


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        ("`framebus ctl start` starts it", "`framebus ctl start --name front` starts it"),
        (
            "`framebus ctl restart`, then `framebus ctl reset --rung usb-reset`",
            "`framebus ctl restart --name front`, then "
            "`framebus ctl reset --name front --rung usb-reset`",
        ),
        ("`framebus ctl reset --rung x --name front`",) * 2,
        ("framebus ctl start --name front",) * 2,
    ],
)
def test_each_command_of_a_remedy_names_the_camera(told: str, remedy: str) -> None:
    status = {"state": "stopped", "cause": {"code": "x", "message": "y", "remedy": told}}
    cause = explain(NAMES, status, attached=True, trouble=None, holder=lambda: 1)
    assert cause.remedy == remedy


def test_a_stopped_camera_is_started_by_its_name() -> None:
    cause = explain(NAMES, {"state": "stopped"}, attached=True, trouble=None, holder=lambda: 1)
    assert "framebus ctl start --name front" in cause.remedy


def test_a_dead_daemon_is_told_from_one_that_was_never_there() -> None:
    words = {"cause": {"code": "old", "message": "of before it died"}}
    assert _code(words, pid=0) == "daemon-died"
    assert _code(attached=False, pid=0) == "daemon-absent"


def test_a_ring_that_cannot_be_read_comes_first() -> None:
    assert _code(trouble=NoPermission("no"), pid=0) == "no-permission"
    assert _code(trouble=SegmentInvalid("no")) == "other-version"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("stopped", "stopped"),
        ("opening", "opening"),
        ("", "opening"),
        ("streaming", "no-frames"),
        ("stalled", "no-frames"),
    ],
)
def test_a_state_without_a_cause_is_a_cause(state: str, code: str) -> None:
    assert _code({"state": state, "cause": None}) == code


def test_fresh_is_three_intervals_and_a_second() -> None:
    assert fresh_for_ns(40_000_000) == 1_120_000_000
    assert fresh_for_ns(0) == 1_300_000_000
