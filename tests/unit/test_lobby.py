from __future__ import annotations

import pytest

from web_workers.admission.lobby import Lobby
from web_workers.admission.origin import LOCAL, origin


def test_the_oldest_goes_for_a_new_one() -> None:
    lobby: Lobby[int] = Lobby(4)
    for guest in range(4):
        assert lobby.enter(guest, f"origin {guest}") is None
    assert lobby.enter(4, "origin 4") == 0
    assert lobby.all() == (1, 2, 3, 4)


def test_whoever_has_half_of_all_drives_out_the_own_ones() -> None:
    lobby: Lobby[int] = Lobby(4)
    lobby.enter(0, "other")
    displaced = [lobby.enter(guest, "greedy") for guest in range(1, 9)]
    assert displaced == [None, None, 1, 2, 3, 4, 5, 6]
    assert 0 in lobby
    assert len(lobby) == 3


def test_who_left_takes_no_room() -> None:
    lobby: Lobby[int] = Lobby(4)
    for guest in range(100):
        assert lobby.enter(guest, "same") is None
        lobby.leave(guest)
        lobby.leave(guest)
    assert not len(lobby)


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
