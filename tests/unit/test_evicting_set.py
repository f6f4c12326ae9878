from __future__ import annotations

import pytest

from web_workers.admission.evicting_set import EvictingSet
from web_workers.admission.origin import LOCAL, origin


def test_the_oldest_goes_for_a_new_one() -> None:
    members: EvictingSet[int] = EvictingSet(4)
    for member in range(4):
        assert members.add(member, f"origin {member}") is None
    assert members.add(4, "origin 4") == 0
    assert members.all() == (1, 2, 3, 4)


def test_whoever_has_half_of_all_drives_out_the_own_ones() -> None:
    members: EvictingSet[int] = EvictingSet(4)
    members.add(0, "other")
    displaced = [members.add(member, "greedy") for member in range(1, 9)]
    assert displaced == [None, None, 1, 2, 3, 4, 5, 6]
    assert 0 in members
    assert len(members) == 3


def test_who_left_takes_no_room() -> None:
    members: EvictingSet[int] = EvictingSet(4)
    for member in range(100):
        assert members.add(member, "same") is None
        members.discard(member)
        members.discard(member)
    assert not len(members)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", LOCAL),
        (None, LOCAL),
        ("no address", LOCAL),
    ],
)
def test_an_ipv6_network_is_one_origin(address: str | None, expected: str) -> None:
    assert origin(address) == expected
