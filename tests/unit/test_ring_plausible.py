"""Numbers in a ring that cannot be true: times to come, counts that nobody reaches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from framebus.errors import FrameGone
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.predecessor import left_behind
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.helpers.segments import remove_segments

FIRST = layout.DESCRIPTORS_OFFSET // 8 + layout.DESCRIPTOR_WORDS  # the words of frame 1


@pytest.fixture
def names(runtime: Path) -> Iterator[CameraNames]:
    names = CameraNames(runtime)
    yield names
    remove_segments(names)


def publish(
    writer: RingWriter,
    count: int = 1,
    *,
    captured_ns: int | None = None,
    captured_utc_ns: int | None = None,
) -> None:
    for _ in range(count):
        writer.publish(
            b"x",
            captured_ns=captured_ns or time.monotonic_ns(),
            captured_utc_ns=captured_utc_ns or time.time_ns(),
        )


@pytest.mark.parametrize(
    "times",
    [
        {"captured_ns": 2**64 - 1},
        {"captured_ns": 2**63},
        {"captured_utc_ns": 2**64 - 1},
        {"captured_utc_ns": 2**63},
    ],
)
def test_a_frame_of_the_future_is_no_frame(
    names: CameraNames, writer: RingWriter, reader: RingReader, times: dict[str, int]
) -> None:
    publish(writer, **times)
    with pytest.raises(FrameGone):
        reader.read(1)
    with pytest.raises(FrameGone):
        reader.newest()
    with left_behind(names) as left:
        assert left is None


def test_a_frame_of_a_moment_to_come_is_not_found_in_history_either(
    writer: RingWriter, reader: RingReader
) -> None:
    publish(writer, captured_ns=time.monotonic_ns() + 60 * 10**9)
    with pytest.raises(FrameGone):
        reader.captured_ns(1)


def test_an_interval_that_no_camera_has_is_unknown(writer: RingWriter, reader: RingReader) -> None:
    for interval_ns, known in ((0, 0), (60 * 10**9, 60 * 10**9), (2**63, 0), (2**64 - 1, 0)):
        writer.set_interval(interval_ns)
        assert reader.interval_ns == known


def words(**values: int) -> Callable[[RingWriter], None]:
    """What puts values into words of the header, or of the descriptor of frame 1."""
    places = {
        "claimed": layout.W_CLAIMED,
        "cursor": layout.W_CURSOR,
        "sequence": FIRST,
        "position": FIRST + 1,
    }

    def damage(writer: RingWriter) -> None:
        for name, value in values.items():
            writer._words[places[name]] = value

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        words(cursor=2**64 - 1),
        words(cursor=2**63, sequence=2**63),
        words(cursor=4),
        words(cursor=2),
        words(cursor=0),
        words(claimed=0),
        words(claimed=2**64 - 1),
        words(claimed=2**63),
        words(sequence=2**62 + 1),
        words(sequence=2),
        words(position=2**63),
        lambda writer: writer._words.__setitem__(layout.W_STATUS_LENGTH, 1),
    ],
)
def test_a_predecessor_whose_counts_disagree_is_not_gone_on_from(
    names: CameraNames, writer: RingWriter, damage: Callable[[RingWriter], None]
) -> None:
    publish(writer, 3)
    writer.set_status({"state": "streaming"})
    with left_behind(names) as left:
        assert left is not None
    damage(writer)
    with left_behind(names) as left:
        assert left is None
