"""What a viewer will take, by the newest frame, which nobody copies for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring.reader import RingReader

from tests.rigs.bus import Bus
from web_workers.admission.rate_estimate import bytes_per_s


def test_it_is_the_newest_frames_size_times_its_rate_and_no_frame_is_copied(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(RingReader, "_copy")
    bus = Bus(runtime, fps=25.0)
    assert bytes_per_s(bus.names, None) == 0, "there is no frame yet"
    for size in (3_000, 1_000):
        bus.publish(bytes(size))
    for fps, expected in ((None, 25_000), (50.0, 25_000), (5.0, 5_000)):
        assert bytes_per_s(bus.names, fps) == expected
    bus.close()


def test_without_a_ring_there_is_nothing_to_go_by(runtime: Path) -> None:
    assert bytes_per_s(CameraNames(runtime, "camera"), None) == 0
