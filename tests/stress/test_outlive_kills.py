from __future__ import annotations

import pytest

from tests.multipart_client import BrokenStream, StreamParser
from tests.stress.outlive_kills import run

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
PART = b"--b\r\nContent-Length: 3\r\nX-Sequence: 1\r\n\r\nabc\r\n"


@pytest.mark.timeout(300)
def test_viewers_outlive_ten_kills_of_the_daemon_and_nothing_is_left() -> None:
    result = run(viewers=50, kills=10, within_s=20)
    assert (result.viewers, result.kills) == (50, 10)
    assert (result.torn, result.older, result.disconnected) == (0, 0, 0)
    assert result.frames > 50 * 10
    assert result.exit_status == 0
    assert result.left_in_shm == []
    assert result.left_in_runtime == []


def test_the_viewer_accepts_parts_in_any_pieces() -> None:
    parser, parts = StreamParser(), []
    for byte in HEAD + PART + PART + b"--b\r\n":
        parts += list(parser.feed(bytes([byte])))
    assert [part.body for part in parts] == [b"abc", b"abc"]


@pytest.mark.parametrize(
    "stream",
    [
        HEAD.replace(b"200", b"503"),
        HEAD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HEAD + b"x" + PART,
        HEAD + PART.replace(b"abc", b"abcd"),
    ],
)
def test_the_viewer_complains_of_a_broken_stream(stream: bytes) -> None:
    parser = StreamParser()
    with pytest.raises(BrokenStream):
        list(parser.feed(stream + PART))
