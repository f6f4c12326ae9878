"""How many workers there are when nobody says."""

from __future__ import annotations

import pytest

from web_workers.capacity import default_workers

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "memory", "workers"),
    [
        (1, 4 * GIB, 1),
        (2, 16 * GIB, 1),
        (4, GIB // 2, 1),  # Zero 2 W
        (4, GIB, 1),  # 3, and the smallest 4
        (4, 2 * GIB - (200 << 20), 2),  # what a 4 with 2 GB has left beside its graphics
        (4, 8 * GIB, 2),
        (64, 256 * GIB, 2),
    ],
)
def test_a_small_machine_has_one_worker_and_others_two(
    cores: int, memory: int, workers: int
) -> None:
    assert default_workers(cores, memory) == workers


def test_this_machine_has_some() -> None:
    assert default_workers() in (1, 2)
