"""What all workers carry: several ledgers over one memory, as in several processes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from web_workers.admission import shared_load
from web_workers.admission.shared_load import Load, SharedLoad

WORKERS = 4
AT = 4096 * 16  # something else lies before it


class Workers:
    def __init__(self) -> None:
        self.fd = os.memfd_create("test")
        os.ftruncate(self.fd, AT + shared_load.size(WORKERS))
        os.pwrite(self.fd, b"a key, the same in every run", AT)
        self.living = set(range(WORKERS))
        self.ledgers: list[SharedLoad] = []

    def start(self, own: int | None) -> SharedLoad:
        made = SharedLoad(
            self.fd, AT, workers=WORKERS, own=own, lives=lambda number: number in self.living
        )
        self.ledgers.append(made)
        return made

    def close(self) -> None:
        for each in self.ledgers:
            each.close()
        os.close(self.fd)


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.close()


def test_all_that_living_workers_carry_is_added_up(workers: Workers) -> None:
    first, last, other = workers.start(0), workers.start(WORKERS - 1), workers.start(1)
    first.add("192.0.2.1", 2, 500)
    last.add("192.0.2.1", 1, 30)
    last.add("192.0.2.2", 4, 7)
    for each in (first, last, other, workers.start(None)):
        assert each.total() == Load(7, 537)
        assert each.of("192.0.2.1") == Load(3, 530)
        assert each.of("192.0.2.2") == Load(4, 7)
        assert each.of("192.0.2.3") == Load(0, 0)
    assert (first.own, last.own, other.own) == (Load(2, 500), Load(5, 37), Load(0, 0))
    first.add("192.0.2.1", 0, -100)
    last.add("192.0.2.2", -4, -7)
    assert other.total() == Load(3, 430)
    assert other.of("192.0.2.2") == Load(0, 0)


def test_what_a_dead_worker_carried_counts_no_more_and_its_successor_begins_with_nothing(
    workers: Workers,
) -> None:
    killed, other = workers.start(1), workers.start(2)
    killed.add("192.0.2.1", 3, 300)
    other.add("192.0.2.1", 1, 10)
    workers.living.remove(1)
    assert (other.total(), other.of("192.0.2.1")) == (Load(1, 10), Load(1, 10))
    workers.living.add(1)
    successor = workers.start(1)
    assert successor.own == Load(0, 0)
    for each in (successor, other):
        assert (each.total(), each.of("192.0.2.1")) == (Load(1, 10), Load(1, 10))


def test_a_worker_without_a_part_counts_for_itself(workers: Workers) -> None:
    without, other = workers.start(None), workers.start(0)
    without.add("192.0.2.1", 1, 10)
    assert without.total() == without.own == Load(1, 10)
    assert other.total() == Load(0, 0)


def test_an_address_that_shares_one_bucket_with_another_is_not_charged_for_it(
    workers: Workers,
) -> None:
    publisher = workers.start(0)
    rows = [publisher._places(f"192.0.2.{host}") for host in range(1, 250)]
    assert all(len(set(places)) == 2 for places in rows)
    words = {word for places in rows for word in places}
    assert min(words) >= 2  # the first two are the totals
    first = publisher._places("10.0.0.0")
    near = next(
        address
        for address in (f"10.0.{number >> 8}.{number & 255}" for number in range(1, 1 << 16))
        if len(set(publisher._places(address)) & set(first)) == 1
    )
    publisher.add("10.0.0.0", 1, 10)
    publisher.add(near, 5, 1000)
    assert publisher.of("10.0.0.0") == Load(1, 10)
    assert publisher.of(near) == Load(5, 1000)
