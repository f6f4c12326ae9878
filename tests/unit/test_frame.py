"""A frame as it is printed."""

from __future__ import annotations

import re

from framebus import Frame, FrameFlags


def frame(width: int = 1280, height: int = 720, flags: FrameFlags = FrameFlags.NONE) -> Frame:
    return Frame(b"\xff\xd8secret\xff\xd9", 1, 77, 80, 0, 0, 0, width, height, flags)


def test_a_printed_frame_is_a_line_with_what_it_is_and_not_the_picture() -> None:
    for text in (str(frame()), repr(frame()), f"{frame()}"):
        assert re.fullmatch(r"<Frame sequence 77, 1280x720, 10 bytes, \d+\.\d{3} s old>", text)


def test_a_printed_frame_tells_what_is_special_about_it() -> None:
    told = str(frame(0, 0, FrameFlags.FALLBACK | FrameFlags.HUFFMAN_INSERTED))
    assert "size unknown" in told
    assert told.endswith("s old, huffman-inserted, fallback>")
