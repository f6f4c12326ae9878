from __future__ import annotations

from framebus.ring.layout import payload_hash

from capture_daemon.capturing.freeze_detector import FreezeDetector


def see(detector: FreezeDetector, data: bytes, now_ns: int) -> int:
    detector.see(len(data), payload_hash(data), now_ns)
    return detector.since_ns


def test_a_moving_picture_is_as_new_as_its_newest_frame() -> None:
    detector = FreezeDetector()
    assert detector.since_ns == 0
    for now_ns, data in enumerate([b"one", b"two", b"three", b"four", b"five"], start=1):
        assert see(detector, data, now_ns) == now_ns


def test_the_same_picture_stands_since_it_first_came() -> None:
    detector = FreezeDetector()
    assert {see(detector, b"frozen", now_ns) for now_ns in range(1, 100)} == {1}
    assert see(detector, b"frozeN", 101) == 101
