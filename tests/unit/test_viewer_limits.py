from __future__ import annotations

import pytest

from tests.rigs.viewer_limits import viewer_limits
from web_workers.admission.connection_limits import ConnectionLimits
from web_workers.admission.viewer_limits import (
    MEASURE_NS,
    LimitReached,
    RefusalReason,
    ViewerLimits,
)

SECOND = 1_000_000_000


def refused(
    viewer_limits: ViewerLimits, address: str = "192.0.2.1", rate: int = 0
) -> RefusalReason:
    with pytest.raises(LimitReached) as caught:
        viewer_limits.admit(address, rate)
    assert caught.value.remedy
    return caught.value.reason


def test_as_many_as_are_allowed_are_let_in_and_who_leaves_makes_room_for_one() -> None:
    full = viewer_limits(viewers=3)
    places = [full.admit(f"192.0.2.{number}", 0) for number in range(3)]
    assert refused(full) is RefusalReason.VIEWERS
    places[1].release()
    places[1].release()
    full.admit("192.0.2.9", 0)
    assert refused(full) is RefusalReason.VIEWERS


def test_one_address_has_its_own_limit_and_an_ipv6_network_is_one() -> None:
    full = viewer_limits(viewers_per_address=2)
    for _ in range(2):
        full.admit("192.0.2.1", 0)
    assert refused(full) is RefusalReason.VIEWERS_OF_ADDRESS
    full.admit("192.0.2.2", 0)
    for host in ("1", "2"):
        full.admit(f"2001:db8::{host}", 0)
    assert refused(full, "2001:db8::3") is RefusalReason.VIEWERS_OF_ADDRESS


def test_what_a_new_viewer_would_take_is_counted_before_it_takes_it() -> None:
    full = viewer_limits(rate=10_000)
    full.admit("192.0.2.1", 6_000)
    assert refused(full, rate=6_000) is RefusalReason.RATE
    full.admit("192.0.2.1", 4_000)
    assert refused(full, rate=1) is RefusalReason.RATE


def test_rates_of_one_address_are_added_up() -> None:
    full = viewer_limits(rate_per_address=10_000)
    full.admit("192.0.2.1", 6_000)
    assert refused(full, rate=6_000) is RefusalReason.RATE_OF_ADDRESS
    full.admit("192.0.2.2", 6_000)


def test_a_measured_rate_stands_for_what_was_expected() -> None:
    full = viewer_limits(rate=10_000)
    slow = full.admit("192.0.2.1", 8_000)
    slow.measured(0, 500)
    slow.measured(MEASURE_NS - 1, 600)
    assert refused(full, rate=3_000) is RefusalReason.RATE
    slow.measured(MEASURE_NS, 2_500)
    assert slow.rate == 1_000
    second = full.admit("192.0.2.1", 9_000)
    slow.measured(2 * MEASURE_NS, 2_500 + 40_000)  # more than all may take: it stays
    assert refused(full, rate=1) is RefusalReason.RATE
    second.release()
    assert refused(full, rate=1) is RefusalReason.RATE
    slow.release()
    full.admit("192.0.2.1", 10_000)


def test_a_worker_takes_no_more_than_it_has_descriptors_for() -> None:
    narrow = viewer_limits(room=2)
    for _ in range(2):
        narrow.admit(None, 0)
    assert refused(narrow) is RefusalReason.DESCRIPTORS


def test_a_viewer_that_another_worker_let_in_is_let_in_here_too() -> None:
    full = viewer_limits(viewers=1)
    full.admit("192.0.2.1", 0)
    admission = full.readmit("2001:db8::/64", 5)
    assert refused(full) is RefusalReason.VIEWERS
    admission.release()


def test_no_limit_is_zero_and_rates_matter_where_one_is_limited() -> None:
    free = viewer_limits(viewers=0, room=20_000)
    for _ in range(10_001):
        free.admit("192.0.2.1", 1 << 40)
    assert not free.of_rates
    assert viewer_limits(rate=2048).of_rates
    assert viewer_limits(rate_per_address=2048).of_rates


def test_waiting_connections_never_take_all_that_a_worker_has() -> None:
    for connections, descriptors in ((1320, 1 << 20), (1320, 1024), (64, 256), (1320, 100)):
        limits = ConnectionLimits.of(connections, descriptors)
        assert min(limits) >= 2
        assert sum(limits) < connections
        assert limits.viewers(descriptors) + sum(limits) <= max(descriptors, sum(limits) + 1)
    assert ConnectionLimits.of(1320, 1 << 20) == (512, 512, 128)
