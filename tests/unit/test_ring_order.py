"""A reader that sees a frame's stores in any order, as on aarch64, gets it whole or not at all.

What the writer has stored becomes visible to another core of such a machine word by word, in no
order, unless it says otherwise; CPython cannot say so. So whatever words a reader may see yet are
put into a copy of the ring.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from framebus.errors import FrameGone
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.segments import segment

LENGTH = 96  # bytes; some words, so that many of their orders are tried


def payload(number: int, length: int = LENGTH) -> bytes:
    """No two frames have a word in common."""
    return b"".join((number * 4096 + at).to_bytes(8, "little") for at in range(length // 8))


def publish(writer: RingWriter, number: int, length: int = LENGTH) -> None:
    writer.publish(payload(number, length), captured_ns=number, captured_utc_ns=number)


@contextmanager
def seen(content: bytes, writer: RingWriter) -> Iterator[RingReader]:
    """A reader to whom the segment is `content`."""
    memory = mmap.mmap(-1, len(content))
    memory[:] = content
    ring = RingReader(memory, writer.geometry)
    yield ring
    ring.close()


def right_or_gone(ring: RingReader, lengths: dict[int, int]) -> dict[int, bool]:
    """Whether each frame was had; one that is not what was published fails the test."""
    had = {}
    for sequence, length in lengths.items():
        try:
            frame = ring.read(sequence)
        except FrameGone:
            had[sequence] = False
        else:
            assert frame.jpeg == payload(sequence, length)
            assert (frame.sequence, frame.captured_ns) == (sequence, sequence)
            had[sequence] = True
    return had


@pytest.fixture
def moments(runtime: Path, writer: RingWriter) -> tuple[list[bytes], dict[int, int]]:
    """The segment before and after a frame that overwrites older ones; the frames' lengths."""
    path, largest = segment(CameraNames(runtime)), writer.geometry.largest
    lengths = dict.fromkeys(range(1, 2 * writer.geometry.count), LENGTH)
    for number in lengths:
        publish(writer, number)
    for number in range(max(lengths) + 1, max(lengths) + 9):  # twice round the arena
        lengths[number] = largest // 8 * 8
        publish(writer, number, lengths[number])
    before = path.read_bytes()
    lengths[number + 1] = LENGTH
    publish(writer, number + 1)
    return [before, path.read_bytes()], lengths


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_frame_of_which_any_words_are_seen_is_had_whole_or_not_at_all(
    data: st.DataObject, writer: RingWriter, moments: tuple[list[bytes], dict[int, int]]
) -> None:
    (before, after), lengths = moments
    words = [at for at in range(0, len(before), 8) if before[at : at + 8] != after[at : at + 8]]
    assert len(words) > LENGTH // 8
    content = bytearray(before)
    for at in data.draw(st.sets(st.sampled_from(words))):
        content[at : at + 8] = after[at : at + 8]
    with seen(bytes(content), writer) as ring:
        right_or_gone(ring, lengths)


def test_all_words_of_a_frame_make_it_a_frame_and_none_leave_the_one_before(
    writer: RingWriter, moments: tuple[list[bytes], dict[int, int]]
) -> None:
    (before, after), lengths = moments
    newest = max(lengths)
    with seen(before, writer) as ring:
        had = right_or_gone(ring, lengths)
        assert (had[newest - 1], had[newest]) == (True, False)
    with seen(after, writer) as ring:
        had = right_or_gone(ring, lengths)
        assert (had[newest - 1], had[newest]) == (True, True)


def test_a_reader_without_the_check_would_take_what_is_no_frame(
    writer: RingWriter,
    moments: tuple[list[bytes], dict[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So the words that are left out above are those that count."""
    (before, after), lengths = moments
    newest = max(lengths)
    at = after.index(payload(newest)[:8])
    content = after[:at] + before[at : at + 8] + after[at + 8 :]
    with seen(content, writer) as ring:
        assert right_or_gone(ring, {newest: LENGTH}) == {newest: False}
        monkeypatch.setattr(layout.Descriptor, "checksum", lambda self, *_: self.check)
        with pytest.raises(AssertionError):
            right_or_gone(ring, {newest: LENGTH})
