"""What all workers carry: several parts of one table, as in several processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.worker_table import Workers
from web_workers.admission.shared_load import Load, SharedLoad

WORKERS = 4


def start(workers: Workers, row: int) -> SharedLoad:
    return SharedLoad(workers.start(row))


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.close()


def test_all_that_living_workers_carry_is_added_up(workers: Workers) -> None:
    first, last, other = start(workers, 0), start(workers, WORKERS - 1), start(workers, 1)
    first.add("192.0.2.1", 2, 500)
    last.add("192.0.2.1", 1, 30)
    last.add("192.0.2.2", 4, 7)
    for each in (first, last, other):
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
    killed, other = start(workers, 1), start(workers, 2)
    killed.add("192.0.2.1", 3, 300)
    other.add("192.0.2.1", 1, 10)
    workers.living.remove(1)
    assert (other.total(), other.of("192.0.2.1")) == (Load(1, 10), Load(1, 10))
    successor = start(workers, 1)
    assert successor.own == Load(0, 0)
    for each in (successor, other):
        assert (each.total(), each.of("192.0.2.1")) == (Load(1, 10), Load(1, 10))


def test_an_address_that_shares_one_bucket_with_another_is_not_charged_for_it(
    workers: Workers,
) -> None:
    load = start(workers, 0)
    rows = [load._buckets(f"192.0.2.{host}") for host in range(1, 250)]
    assert all(len(set(places)) == 2 for places in rows)
    words = {word for places in rows for word in places}
    assert min(words) >= 3  # whose they are, and the totals
    first = load._buckets("10.0.0.0")
    near = next(
        address
        for address in (f"10.0.{number >> 8}.{number & 255}" for number in range(1, 1 << 16))
        if len(set(load._buckets(address)) & set(first)) == 1
    )
    load.add("10.0.0.0", 1, 10)
    load.add(near, 5, 1000)
    assert load.of("10.0.0.0") == Load(1, 10)
    assert load.of(near) == Load(5, 1000)
