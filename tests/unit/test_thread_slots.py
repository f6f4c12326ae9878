"""Places for viewers that take a thread."""

from __future__ import annotations

from collections.abc import Iterator

from web_workers.viewers.thread_slots import ThreadSlots


def test_a_slot_is_free_again_once_its_body_is_closed_and_only_once() -> None:
    closed: list[str] = []

    def body() -> Iterator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append("body")

    places = ThreadSlots(1)
    slot = places.take(body)
    assert slot is not None
    assert next(iter(slot)) == b"one"
    assert places.take(body) is None
    slot.close()
    slot.close()
    assert closed == ["body"]
    never_begun = places.take(body)
    assert never_begun is not None
    assert places.take(body) is None
    never_begun.close()
    assert places.take(body) is not None


def test_a_body_that_never_ends_does_when_its_process_is_to_end() -> None:
    places = ThreadSlots(2)
    slot = places.take(lambda: iter((b"one", b"two")))
    assert slot is not None
    assert next(iter(slot)) == b"one"
    assert places.end()
    assert not places.end()
    assert list(slot) == []
    assert places.take(lambda: iter(())) is None
    assert not ThreadSlots(2).end()
