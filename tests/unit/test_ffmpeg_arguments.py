from __future__ import annotations

from pathlib import Path

from capture_daemon.sources.base import Request
from capture_daemon.sources.ffmpeg import arguments

PLAIN = Request()


def between(words: list[str], first: str, last: str) -> list[str]:
    return words[words.index(first) : words.index(last) + 1]


def test_a_file_is_played_at_its_rate_in_a_loop(tmp_path: Path) -> None:
    clip = tmp_path / "a clip -i; $(x).mp4"
    clip.touch()
    words = arguments(str(clip), PLAIN)
    expected = ["-re", "-stream_loop", "-1", "-i", f"file:{clip}"]
    assert between(words, "-re", f"file:{clip}") == expected


def test_a_url_is_one_argument_and_not_slowed_down() -> None:
    words = arguments("rtsp://cam/1?a=b c", PLAIN)
    assert words[words.index("-i") + 1] == "rtsp://cam/1?a=b c"
    assert "-re" not in words


def test_own_arguments_are_used_as_they_are() -> None:
    words = arguments("-f lavfi -re -i 'testsrc2=size=64x48, negate'", PLAIN)
    expected = ["-f", "lavfi", "-re", "-i", "testsrc2=size=64x48, negate"]
    assert between(words, "-f", expected[-1]) == expected
    assert "-stream_loop" not in words


def test_own_choice_of_a_stream_is_not_overruled() -> None:
    assert "-map" in arguments("-i x", PLAIN)
    assert arguments("-i x -map 0:v:1", PLAIN).count("-map") == 1
    assert "-map" not in arguments("-i x -filter_complex hflip", PLAIN)


def test_size_and_rate_are_asked_of_the_output() -> None:
    words = arguments("-r 5 -i x", Request(640, 360, 12.5))
    after = words[words.index("x") :]
    assert after[after.index("-r") + 1] == "12.5"
    assert after[after.index("-s") + 1] == "640x360"
    assert "-fps_mode" not in words


def test_frames_are_passed_through_unless_a_rate_is_asked_for() -> None:
    assert "-fps_mode" in arguments("rtsp://cam/1", PLAIN)
    assert "-fps_mode" not in arguments("-i x -r 5", PLAIN)


def test_own_filters_are_not_overruled() -> None:
    for own in ("-vf hflip", "-filter:v hflip", "-filter_complex hflip"):
        words = arguments(f"-i x {own}", PLAIN)
        assert [word for word in words if "setpts" in word] == []
        assert words.count("-vf") == own.count("-vf")
