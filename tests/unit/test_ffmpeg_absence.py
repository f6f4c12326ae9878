"""What is known to be absent without starting ffmpeg."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from capture_daemon.sources.ffmpeg.absence import is_absent
from capture_daemon.sources.ffmpeg.arguments import parse


def test_a_file_is_absent_until_it_is_there(tmp_path: Path) -> None:
    clip = tmp_path / "my clip.mkv"
    for text in (str(clip), f"-i 'file:{clip}'", f"-f lavfi -i testsrc2 -i '{clip}'"):
        assert is_absent(parse(text))
    clip.touch()
    assert not is_absent(parse(str(clip)))


@pytest.mark.parametrize("text", ["-i /none/img%d.jpg", "-i '/none/*.jpg'", "-f lavfi -i testsrc2"])
def test_what_may_stand_for_several_files_or_for_none_is_left_to_ffmpeg(text: str) -> None:
    assert not is_absent(parse(text))


def test_a_server_of_rtsp_is_absent_while_nothing_listens_there() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"rtsp://me:secret@127.0.0.1:{listener.getsockname()[1]}/live"
    assert not is_absent(parse(url))
    listener.close()
    assert is_absent(parse(url))


def test_a_name_that_no_host_can_have_is_left_to_ffmpeg() -> None:
    assert not is_absent(parse("rtsp://front..door/live"))


@pytest.mark.parametrize("scheme", ["http", "tcp", "rtmp", "udp"])
def test_other_servers_are_not_connected_to_in_vain(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_absent(parse(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/live"))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
