from __future__ import annotations

from capture_daemon.capturing.freeze_detector import FreezeDetector


def test_a_moving_picture_is_as_new_as_its_newest_frame() -> None:
    freeze_detector = FreezeDetector()
    assert freeze_detector.since_ns == 0
    for now_ns, data in enumerate([b"one", b"two", b"three", b"four", b"five"], start=1):
        freeze_detector.see(data, now_ns)
        assert freeze_detector.since_ns == now_ns


def test_the_same_picture_stands_since_its_second_coming() -> None:
    freeze_detector = FreezeDetector()
    for now_ns in range(1, 100):
        freeze_detector.see(b"frozen", now_ns)
    assert freeze_detector.since_ns == 2
    freeze_detector.see(memoryview(b"frozen"), 100)
    assert freeze_detector.since_ns == 2
    freeze_detector.see(b"frozeN", 101)
    assert freeze_detector.since_ns == 101
