from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.stress.ring_stress import is_right, payload, run

READS = int(os.environ.get("FRAMEBUS_STRESS_READS", "50000"))


@pytest.mark.timeout(900)
def test_no_corrupt_frame_is_accepted_from_a_flat_out_writer() -> None:
    outcomes = run(readers=4, reads=READS, seed=20261122)
    assert [outcome.corrupt for outcome in outcomes] == [0, 0, 0, 0]
    assert [outcome.reads for outcome in outcomes] == [READS] * 4
    assert all(outcome.accepted for outcome in outcomes), outcomes
    assert all(outcome.lapped for outcome in outcomes), "nobody was lapped: this proved nothing"


def test_the_judge_rejects_a_frame_with_one_wrong_byte(runtime: Path) -> None:
    names = CameraNames(runtime)
    writer = RingWriter.create(names, capacity=layout.SMALLEST_CAPACITY)
    ring = RingReader.attach(names)
    writer.publish(payload(1), captured_ns=3, captured_utc_ns=1, device_sequence=1 ^ 0xFFFF)
    frame = ring.read(1)
    ring.close()
    writer.close()
    assert is_right(frame)
    assert not is_right(dataclasses.replace(frame, jpeg=frame.jpeg[:-1] + b"\xff"))
    assert not is_right(dataclasses.replace(frame, jpeg=payload(2)))
    assert not is_right(dataclasses.replace(frame, captured_ns=6))
