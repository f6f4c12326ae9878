"""What to do about a source without pictures depends on what it is read from."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from capture_daemon.capturing.reports import not_answering_cause, silence_cause
from capture_daemon.settings.spec import parse
from capture_daemon.sources import remedies
from capture_daemon.sources.remedies import Medium


@pytest.mark.parametrize("medium", Medium)
def test_only_a_device_has_a_cable_and_a_plug(medium: Medium) -> None:
    said = " ".join(astuple(remedies.BY_MEDIUM[medium]))
    assert (("cable" in said), ("plug" in said)) == ((medium is Medium.DEVICE,) * 2)


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("v4l2:/dev/video0", True),
        ("auto", True),
        ("ffmpeg:-f v4l2 -i /dev/video0", True),
        ("ffmpeg:-i rtsp://192.0.2.7/live", False),
        ("ffmpeg:clip.mkv", False),
        ("http://192.0.2.7/stream", False),
        ("file:clip.mjpeg", False),
        ("test", False),
    ],
)
def test_causes_name_the_remedy_of_what_the_source_is(text: str, device: bool) -> None:
    source = parse(text)
    causes = (
        silence_cause(source, []),
        silence_cause(source, ["no-eoi"]),
        not_answering_cause(source, "opening", 3.0),
    )
    for cause in causes:
        assert source.public in cause.message
        assert ("cable" in cause.remedy or "plug" in cause.remedy) is device
