"""The command line that an `ffmpeg:` source becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture_daemon.sources.base import Request
from capture_daemon.sources.ffmpeg.arguments import parse
from capture_daemon.sources.ffmpeg.command import command, plays_in_a_loop

PLAIN = Request()


def words_of(text: str, request: Request = PLAIN) -> list[str]:
    def pass_on(script: str) -> str:
        raise AssertionError(f"this was to be passed on: {script}")

    return command(parse(text), request, pass_on)


def between(words: list[str], first: str, last: str) -> list[str]:
    return words[words.index(first) : words.index(last) + 1]


def test_a_file_is_played_at_its_rate_in_a_loop(tmp_path: Path) -> None:
    clip = tmp_path / "a clip -i; $(x).mp4"
    clip.touch()
    expected = ["-re", "-stream_loop", "-1", "-i", f"file:{clip}"]
    assert between(words_of(str(clip)), "-re", f"file:{clip}") == expected


@pytest.mark.parametrize(
    ("given", "paced"),
    [
        ("-i clip.mkv", ["-re", "-stream_loop", "-1"]),
        ("-re -i clip.mkv", ["-stream_loop", "-1"]),
        ("-stream_loop 2 -i clip.mkv", ["-re"]),
        ("-readrate 2 -stream_loop 0 -i clip.mkv", []),
        ("-f lavfi -i testsrc2", ["-re"]),
        ("-f lavfi -i testsrc2,realtime", []),
        ("-f lavfi -re -i testsrc2", []),
        ("-i rtsp://cam/1", []),
        ("-f v4l2 -i /dev/video0", []),
        ("-i http://cam/video.mkv", []),
    ],
)
def test_what_has_no_rate_of_its_own_gets_one_unless_that_is_said(
    given: str, paced: list[str]
) -> None:
    words = words_of(given)
    start = words.index("-loglevel") + 2
    assert words[start : start + len(paced)] == paced
    assert (words.count("-re"), words.count("-stream_loop")) == (
        (given + " ".join(paced)).count("-re") - given.count("-readrate"),
        (given + " ".join(paced)).count("-stream_loop"),
    )


def test_a_url_is_one_argument_and_not_slowed_down() -> None:
    words = words_of("rtsp://cam/1")
    assert words[words.index("-i") + 1] == "rtsp://cam/1"
    assert "-re" not in words


def test_own_arguments_are_used_as_they_are() -> None:
    words = words_of("-f lavfi -re -i 'testsrc2=size=64x48, negate'")
    expected = ["-f", "lavfi", "-re", "-i", "testsrc2=size=64x48, negate"]
    assert between(words, "-f", expected[-1]) == expected
    assert "-stream_loop" not in words


def test_own_choice_of_a_stream_is_not_overruled() -> None:
    assert "-map" in words_of("-i x")
    assert words_of("-i x -map 0:v:1").count("-map") == 1
    assert "-map" not in words_of("-i x -filter_complex hflip")


def test_size_and_rate_are_asked_of_the_output() -> None:
    words = words_of("-r 5 -i x", Request(640, 360, 12.5))
    after = words[words.index("x") :]
    assert after[after.index("-r") + 1] == "12.5"
    assert after[after.index("-s") + 1] == "640x360"
    assert "-fps_mode" not in words


def test_frames_are_passed_through_unless_a_rate_is_asked_for() -> None:
    assert "-fps_mode" in words_of("rtsp://cam/1")
    assert "-fps_mode" not in words_of("-i x -r 5")
    assert "-fps_mode" not in words_of("-r 5 -i x")


def test_own_filters_are_not_overruled() -> None:
    for own in ("-vf hflip", "-filter:v hflip", "-filter_complex hflip"):
        words = words_of(f"-i x {own}")
        assert [word for word in words if "setpts" in word] == []
        assert words.count("-vf") == own.count("-vf")


@pytest.mark.parametrize("copy", ["-c copy", "-c:v copy", "-codec:v copy", "-vcodec copy"])
def test_a_copy_is_not_encoded_again(copy: str) -> None:
    words = words_of(f"-i rtsp://cam/1 {copy}", Request(640, 360, 5))
    assert words[-5:] == ["-avioflags", "direct", "-f", "mjpeg", "pipe:1"]
    assert words[-8:-5] == ["copy", "-map", "0:v:0"]
    assert not {"-vf", "-fps_mode", "-r", "-s", "-q:v", "-pix_fmt"} & set(words)
    assert "mjpeg" not in words[:-2]


def test_what_is_secret_goes_into_a_script_and_not_into_the_arguments() -> None:
    scripts: list[str] = []

    def pass_on(script: str) -> str:
        scripts.append(script)
        return f"pipe:{len(scripts) + 2}"

    source = parse(
        '-re -rtsp_transport tcp -headers "X: it\'s hidden" -i rtsp://me:hidden@cam/1 '
        "-thread_queue_size 8 -f rtsp -i rtsp://you:hidden@cam/2 -filter_complex hstack"
    )
    words = command(source, PLAIN, pass_on)
    assert "hidden" not in " ".join(words)
    assert scripts == [
        "ffconcat version 1.0\nfile 'rtsp://me:hidden@cam/1'\noption rtsp_transport 'tcp'\n"
        "option headers 'X: it'\\''s hidden'\n",
        "ffconcat version 1.0\nfile 'rtsp://you:hidden@cam/2'\n",
    ]
    assert words[words.index("-re") + 1 : words.index("pipe:3")] == [
        *("-f", "concat", "-safe", "0", "-protocol_whitelist"),
        *(words[words.index("-protocol_whitelist") + 1], "-i"),
    ]
    assert between(words, "-thread_queue_size", "8") == ["-thread_queue_size", "8"]
    assert "file" not in words[words.index("-protocol_whitelist") + 1].split(",")


def test_a_secret_url_of_a_format_that_is_named_goes_into_a_graph() -> None:
    graphs: list[str] = []

    def pass_on(graph: str) -> str:
        graphs.append(graph)
        return "pipe:9"

    source = parse("-re -headers 'A: b=c' -f mpjpeg -i http://me:it%27s@cam/1")
    words = command(source, PLAIN, pass_on)
    assert between(words, "-re", "-i") == ["-re", "-f", "lavfi", "-graph_file", "pipe:9", "-i"]
    assert graphs == [
        r"movie=filename='http\://me\:it%27s@cam/1':format_name='mpjpeg'"
        r":format_opts='headers=A\\\: b\\=c'"
    ]


def test_headers_with_their_line_ends_reach_ffmpeg_whole() -> None:
    scripts: list[str] = []

    def pass_on(script: str) -> str:
        scripts.append(script)
        return "pipe:9"

    command(parse("-headers 'A: b\r\n' -i http://cam/1"), PLAIN, pass_on)
    words = command(parse("-headers 'A: b\r\nC: d\r\n' -i http://cam/1"), PLAIN, pass_on)
    assert words[words.index("-f") + 1] == "lavfi"
    assert scripts == [
        "ffconcat version 1.0\nfile 'http://cam/1'\noption headers 'A: b'\n",
        "movie=filename='http\\://cam/1':format_opts='headers=A\\\\\\: b\r\nC\\\\\\: d\r\n'",
    ]


@pytest.mark.parametrize("text", ["-f mpjpeg -i {} -c copy", "-f mpjpeg -c:v mjpeg_qsv -i {}"])
def test_a_named_format_that_is_copied_or_decoded_specially_keeps_its_url(text: str) -> None:
    assert "http://me:pw@cam/1" in words_of(text.format("http://me:pw@cam/1"))


@pytest.mark.parametrize("packet", [b"G" + bytes(187), bytes(4) + b"G" + bytes(187)])
def test_a_transport_stream_is_not_wound_back_by_ffmpeg(packet: bytes, tmp_path: Path) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(packet * 5)
    arguments = parse(str(clip))
    words = command(arguments, Request(), lambda script: "")
    assert "-re" in words
    assert "-stream_loop" not in words
    assert plays_in_a_loop(arguments)
