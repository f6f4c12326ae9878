"""What clients of other camera servers ask for, and what it means here."""

from __future__ import annotations

import pytest

from web_workers.pages.aliases import UnknownAction, action, not_found, numbered


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("stream", ("stream", 0)),
        ("snapshot", ("snapshot", 0)),
        ("stream_0", ("stream", 0)),
        ("snapshot_12", ("snapshot", 12)),
        ("Snapshot", ("snapshot", 0)),
        ("snapshot?1608856928650", ("snapshot", 0)),
        ("stream_1&t=1608856928650", ("stream", 1)),
        ("stream/", ("stream", 0)),
    ],
)
def test_an_action_is_told_with_the_number_of_its_camera(text: str, meant: object) -> None:
    assert action({"action": text}) == meant
    assert action({"ACTION": text}) == meant


def test_a_query_without_an_action_is_none() -> None:
    assert action({}) is None
    assert action({"page": "1"}) is None


@pytest.mark.parametrize("text", ["", "take", "streams", "stream_", "stream_x", "stream_-1", "_0"])
def test_an_action_that_there_is_not_is_answered_with_those_that_there_are(text: str) -> None:
    with pytest.raises(UnknownAction, match=r"/\?action=snapshot"):
        action({"action": text})


def test_mjpg_streamers_commands_are_answered_with_framebuss() -> None:
    with pytest.raises(UnknownAction, match="POST /cameras/NAME/control"):
        action({"action": "command", "id": "9963776", "dest": "0"})


def test_cameras_are_numbered_from_the_default_one() -> None:
    assert numbered(["front", "back"], 0) == "front"
    assert numbered(["front", "back"], 1) == "back"
    with pytest.raises(UnknownAction, match=r"there are 0 \(front\), 1 \(back\)"):
        numbered(["front", "back"], 2)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/webrtc", "WebRTC"),
        ("/stream.mp4", "no video"),
        ("/program.json", "/state here"),
        ("/input_0.json", "/state here"),
        ("/nothing", "nothing at '/nothing'"),
    ],
)
def test_another_servers_address_is_answered_with_what_there_is_instead(
    path: str, why: str
) -> None:
    message, remedy = not_found(path)
    assert why in message
    assert "/stream" in remedy
    assert "/snapshot" in remedy
