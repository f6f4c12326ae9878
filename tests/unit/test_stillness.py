from __future__ import annotations

from capture_daemon.capturing.stillness import Stillness


def test_a_moving_picture_is_as_new_as_its_newest_frame() -> None:
    stillness = Stillness()
    assert stillness.since_ns() == 0
    for now_ns, data in enumerate([b"one", b"two", b"three", b"four", b"five"], start=1):
        stillness.see(data, now_ns)
        assert stillness.since_ns() == now_ns


def test_the_same_picture_stands_since_its_second_coming() -> None:
    stillness = Stillness()
    for now_ns in range(1, 100):
        stillness.see(b"frozen", now_ns)
    assert stillness.since_ns() == 2
    stillness.see(memoryview(b"frozen"), 100)
    assert stillness.since_ns() == 2
    stillness.see(b"frozeN", 101)
    assert stillness.since_ns() == 101
