"""The status document in the ring."""

from __future__ import annotations

import zlib

import pytest
from framebus.errors import UsageError
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

CAPACITY = layout.SMALLEST_CAPACITY


def test_status_document_is_read_back_and_replaced(writer: RingWriter, reader: RingReader) -> None:
    assert reader.status() == {}
    writer.set_status({"state": "opening"})
    writer.set_status({"state": "streaming", "cause": None})
    assert reader.status() == {"state": "streaming", "cause": None}
    with pytest.raises(UsageError):
        writer.set_status({"text": "x" * layout.STATUS_TEXT_MAX})
    assert reader.status() == {"state": "streaming", "cause": None}


def test_status_whose_writer_died_half_way_is_not_shown(
    writer: RingWriter, reader: RingReader
) -> None:
    writer.set_status({"state": "opening"})
    writer._words[layout.W_STATUS_GENERATION] += 1
    assert reader.status() == {}


def test_status_that_does_not_match_its_checksum_is_not_shown(
    writer: RingWriter, reader: RingReader
) -> None:
    writer.set_status({"state": "opening"})
    writer._bytes[layout.STATUS_TEXT + 3] ^= 1
    assert reader.status() == {}


def test_status_may_have_as_many_bytes_as_there_are_and_no_more(
    writer: RingWriter, reader: RingReader
) -> None:
    longest = {"text": "x" * (layout.STATUS_TEXT_MAX - len('{"text":""}'))}
    writer.set_status(longest)
    assert reader.status() == longest
    with pytest.raises(UsageError, match="is over"):
        writer.set_status({"text": longest["text"] + "x"})
    assert reader.status() == longest


def test_status_is_marked_as_unfinished_before_any_of_it_changes(
    writer: RingWriter, reader: RingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.set_status({"state": "opening"})
    marks: list[int] = []

    def noting(data: bytes, value: int = 0) -> int:
        marks.append(writer._words[layout.W_STATUS_GENERATION])
        return real(data, value)

    real = zlib.crc32
    with monkeypatch.context() as patch:
        patch.setattr(zlib, "crc32", noting)
        writer.set_status({"state": "streaming"})
    assert [mark % 2 for mark in marks] == [1]
    assert reader.status() == {"state": "streaming"}
