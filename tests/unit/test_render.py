from __future__ import annotations

import pytest
from framebus.cli import render

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
STATUS = {
    "camera": "front",
    "pid": 123,
    "version": "0.1.0",
    "epoch": "00ff00ff00ff00ff",
    "started_utc_ns": NOW - 200 * SECOND,
    "state": "streaming",
    "since_utc_ns": NOW - 5 * SECOND,
    "cause": None,
    "attempts": 0,
    "retry_utc_ns": None,
    "source": {
        "spec": "test",
        "kind": "test",
        "device": "test pattern",
        "requested": {"width": None, "height": None, "fps": 30.0},
        "granted": {"fourcc": "MJPG", "width": 1280, "height": 720, "fps": 30.0},
    },
    "frames": {
        "captured": 100,
        "published": 97,
        "rejected": {"no-eoi": 2, "flagged": 1},
        "missed": 4,
        "fps": 29.97,
        "newest_utc_ns": NOW - SECOND // 50,
    },
    "ring": {"size": 34 << 20, "arena": 32 << 20, "frames": 1024, "largest": 8 << 20},
}


def rows(text: str) -> dict[str, str]:
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in text.splitlines()}


def test_status_tells_state_source_frames_and_ring() -> None:
    assert rows(render.status(STATUS, NOW)) == {
        "camera": "front (pid 123, framebus 0.1.0, up 3 min 20 s)",
        "state": "streaming for 5 s",
        "source": "test (test pattern)",
        "requested": "any size, 30 fps",
        "granted": "MJPG 1280x720, 30 fps",
        "frames": "100 captured, 97 published, 3 rejected (no-eoi 2, flagged 1), 4 missed",
        "rate": "29.97 fps; newest frame 0.02 s old",
        "ring": "34.0 MiB, 1024 descriptors, largest frame 8.0 MiB, epoch 00ff00ff00ff00ff",
    }


def test_status_of_a_lent_camera_tells_to_whom_and_for_how_long() -> None:
    until = NOW + 42 * SECOND
    lent = {"state": "lent", "lease": {"to": "cheese", "until_utc_ns": until}}
    found = rows(render.status({**STATUS, **lent, "retry_utc_ns": until}, NOW))
    assert found["lent"] == "to cheese, for 42 s more"
    assert "retry" not in found


def test_status_tells_that_a_camera_rests_and_when() -> None:
    demand = {"watched": False, "idle_after_s": 60.0, "idle_fps": 1.0}
    cause = {"code": "idle", "message": "off, nobody watches", "remedy": "look at it"}
    found = rows(render.status({**STATUS, "state": "idle", "cause": cause, "demand": demand}, NOW))
    assert found["cause"] == "off, nobody watches [idle]"
    assert found["watched"] == "no; 1 fps without viewers; off after 1 min without viewers"
    only_slow = {**STATUS, "demand": {**demand, "watched": True, "idle_after_s": None}}
    assert rows(render.status(only_slow, NOW))["watched"] == "yes; 1 fps without viewers"


def test_status_without_frames_names_cause_remedy_and_next_try() -> None:
    cause = {"code": "device-gone", "message": "the camera is unplugged", "remedy": "plug it in"}
    found = rows(
        render.status(
            {
                **STATUS,
                "state": "backoff",
                "cause": cause,
                "attempts": 3,
                "retry_utc_ns": NOW + 2 * SECOND,
                "source": {**STATUS["source"], "granted": None},  # type: ignore[dict-item]
            },
            NOW,
        )
    )
    assert found["cause"] == "the camera is unplugged [device-gone]"
    assert found["remedy"] == "plug it in"
    assert found["retry"] == "in 2 s (attempts so far: 3)"
    assert found["granted"] == "-"


def test_status_of_another_version_is_shown_as_far_as_it_goes() -> None:
    assert rows(render.status({"camera": "front", "state": "new-word"}, NOW))["state"] == (
        "new-word for -"
    )
    assert "camera" in render.status("no object at all", NOW)


def test_formats_have_a_line_for_each_size() -> None:
    sizes = [
        {"width": 1280, "height": 720, "fps": [30.0, 15.0]},
        {"width": 640, "height": 480, "fps": []},
    ]
    offered = [{"fourcc": "MJPG", "description": "Motion-JPEG", "sizes": sizes}]
    assert render.formats({"formats": offered}).splitlines() == [
        "FOURCC  SIZE      FPS     DESCRIPTION",
        "MJPG    1280x720  30, 15  Motion-JPEG",
        "MJPG    640x480   -       Motion-JPEG",
    ]


def test_controls_show_range_menu_and_flags() -> None:
    listed = [
        {
            "name": "brightness",
            "value": -3,
            "default": 0,
            "min": -64,
            "max": 64,
            "step": 2,
            "menu": {},
            "flags": [],
        },
        {
            "name": "auto_exposure",
            "value": 3,
            "default": 3,
            "min": 0,
            "max": 3,
            "step": 1,
            "menu": {"1": "Manual", "3": "Aperture"},
            "flags": ["inactive"],
        },
    ]
    assert render.controls({"controls": listed}).splitlines() == [
        "CONTROL        VALUE  DEFAULT  RANGE                 FLAGS",
        "brightness     -3     0        -64 to 64 by 2        -",
        "auto_exposure  3      3        1=Manual, 3=Aperture  inactive",
    ]


def test_reply_of_another_shape_is_an_outline_and_no_error() -> None:
    assert render.formats({"note": "none"}) == "note  none"
    assert render.controls(["x"]) == "x"


def test_status_names_the_rung_that_was_tried_and_the_next() -> None:
    found = rows(
        render.status(
            {
                **STATUS,
                "state": "backoff",
                "cause": {"code": "silent", "message": "no frames", "remedy": ""},
                "recovery": {"rung": "rebind", "next": "usb-reset", "unavailable": []},
            },
            NOW,
        )
    )
    assert found["recovery"] == "tried rebind, next usb-reset"


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ({"shown": True}, "viewers see test: MJPG 1280x720, 30 fps, 97 frames"),
        ({"shown": False}, "test, not needed now"),
        ({"cause": {"code": "bug", "message": "it fails"}}, "test: it fails [bug]"),
    ],
)
def test_status_says_what_viewers_see_instead_of_the_camera(
    part: dict[str, object], line: str
) -> None:
    fallback = {"source": STATUS["source"], "frames": STATUS["frames"], "cause": None, **part}
    assert rows(render.status({**STATUS, "fallback": fallback}, NOW))["fallback"] == line


def test_what_is_not_known_is_said_to_be_so_and_never_0() -> None:
    granted = {"fourcc": "MJPG", "width": None, "height": None, "fps": None}
    source = {**STATUS["source"], "granted": granted}  # type: ignore[dict-item]
    frames = {**STATUS["frames"], "fps": None, "newest_utc_ns": None}  # type: ignore[dict-item]
    found = rows(render.status({**STATUS, "source": source, "frames": frames}, NOW))
    assert found["granted"] == "MJPG size not known, rate not known"
    assert found["rate"] == "not known"


def test_what_waits_for_its_time_is_told_beside_what_is_tried_next() -> None:
    recovery = {"rung": "reopen", "next": "usb-reset", "next_utc_ns": NOW + 25 * SECOND}
    cause = {"code": "refused-stream", "message": "it refused", "remedy": ""}
    status = {
        **STATUS,
        "cause": cause,
        "retry_utc_ns": NOW + 3 * SECOND,
        "attempts": 7,
        "recovery": recovery,
    }
    found = rows(render.status(status, NOW))
    assert found["retry"] == "in 3 s (attempts so far: 7)"
    assert found["recovery"] == "tried reopen, next usb-reset in 25 s"
