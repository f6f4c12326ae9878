"""The document that a viewer travels with: read back as it was, or refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from tests.samples.viewer_states import LONGEST, STATES
from web_workers.handover.viewer_state import SIZE, OtherVersion, Unreadable, ViewerState, decoded


@pytest.mark.parametrize("viewer_state", [LONGEST, STATES])
def test_a_document_is_read_as_it_was_written_and_all_have_one_size(
    viewer_state: ViewerState,
) -> None:
    assert len(viewer_state.encoded()) == SIZE
    assert decoded(viewer_state.encoded()) == viewer_state


def test_what_is_too_long_is_not_written() -> None:
    with pytest.raises(ValueError, match="a message has"):
        ViewerState(**{**asdict(LONGEST), "peer": "p" * 300}).encoded()


def _with(**changes: Any) -> bytes:
    return json.dumps({"v": 1, **asdict(STATES), **changes}).encode()


def test_keys_of_a_later_time_are_ignored() -> None:
    assert decoded(_with(colour="red")) == STATES


@pytest.mark.parametrize("version", [0, 2, 1.0, True, "1", None, [], 10**400])
def test_another_version_is_told_apart(version: object) -> None:
    with pytest.raises(OtherVersion):
        decoded(_with(v=version))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * SIZE,
        b"[" * SIZE,
        b"[]",
        b"null",
        b'{"v":1}',
        _with(peer=None),
        _with(states=1),
        _with(sent=-1),
        _with(sent=True),
        _with(sent=1.5),
        _with(rest=(1 << 28) + 1),
        _with(fps=0),
        _with(fps=float("nan")),
        _with(fps=float("inf")),
        _with(fps=10**400),
        _with(style="loud"),
        _with(camera="../etc"),
        _with(camera=None, states=False),
    ],
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decoded(data)
