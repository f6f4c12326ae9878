from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from capture_daemon.v4l2 import command
from capture_daemon.v4l2.cameras import Camera, udev_capabilities
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel
from capture_daemon.v4l2.formats import OfferedFormat
from capture_daemon.v4l2.query import formats

PICTURES = Camera(
    node="/dev/null",
    name="HD Webcam",
    index=0,
    captures=True,
    port="1-1.2",
    stable="usb:046d:0825:AB12",
)
METADATA = Camera(node="/dev/zero", name="HD Webcam", index=1, captures=False, stable="/dev/zero")


def listed(monkeypatch: pytest.MonkeyPatch, found: Iterable[Camera], *arguments: str) -> str:
    monkeypatch.setattr(command, "cameras", lambda: list(found))
    result = CliRunner().invoke(command.devices, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_name_cannot_speak_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    loud = replace(PICTURES, name="HD\x1b[2JCam", stable="usb:046d:0825:\x1b]0;x\x07")
    assert "\x1b" not in listed(monkeypatch, [loud])
    offer = OfferedFormat("MJPG", "Motion\x1b[2J", ())
    monkeypatch.setattr(command, "offers_of", lambda device: [offer])
    assert "\x1b" not in listed(monkeypatch, [], "--formats", "/dev/null")


def test_cameras_are_listed_by_the_name_that_survives_replugging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = listed(monkeypatch, [PICTURES, METADATA])
    assert "v4l2:usb:046d:0825:AB12\n    HD Webcam  /dev/null  port 1-1.2" in text
    assert "/dev/zero" not in text
    assert "/dev/zero  (not for pictures)" in listed(monkeypatch, [PICTURES, METADATA], "--all")


def test_json_is_a_list_of_all_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(listed(monkeypatch, [PICTURES, METADATA], "--json"))
    assert [camera["node"] for camera in found] == ["/dev/null"]
    assert found[0]["stable"] == "usb:046d:0825:AB12"
    assert json.loads(listed(monkeypatch, [], "--json")) == []


def test_no_camera_is_explained_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = listed(monkeypatch, [])
    assert "lsusb" in text
    assert "--source test" in text
    modules = tmp_path / "modules"
    modules.write_text("videodev 1 0 - Live\n")
    assert any("modprobe uvcvideo" in line for line in command.advice([], modules))
    modules.write_text("uvcvideo 1 0 - Live\n")
    assert not any("modprobe" in line for line in command.advice([], modules))


def test_node_that_may_not_be_opened_or_is_missing_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert command.advice([PICTURES]) == []
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "usermod -aG video" in command.advice([PICTURES])[0]
    absent = Camera(node="/dev/nowhere", name="", index=0, captures=True)
    assert "--device /dev/nowhere" in command.advice([absent])[0]


def test_formats_of_one_camera_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def offers(device: str) -> list[OfferedFormat]:
        from capture_daemon.v4l2.handle import Handle

        handle = Handle.open(FakeKernel([FakeCamera(device)]), device)
        try:
            return formats(handle)
        finally:
            handle.close()

    monkeypatch.setattr(command, "offers_of", offers)
    result = CliRunner().invoke(command.devices, ["--formats", "/dev/null"])
    assert "MJPG  Motion-JPEG\n    640x480  30, 15 fps" in result.output
    result = CliRunner().invoke(command.devices, ["--formats", "/dev/null", "--json"])
    assert json.loads(result.output)[0]["sizes"][0]["fps"] == [30.0, 15.0]


def test_absent_camera_ends_with_a_remedy_and_69() -> None:
    result = CliRunner().invoke(command.devices, ["--formats", "/dev/nowhere"])
    assert result.exit_code == os.EX_UNAVAILABLE
    assert "there is no camera /dev/nowhere now" in result.output
    assert "plug the camera in" in result.output


def test_node_that_udev_does_not_know_has_no_capabilities() -> None:
    assert udev_capabilities("/dev/nowhere") is None
    assert udev_capabilities("/dev/null") is None
