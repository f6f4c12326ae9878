"""Small runs of what is run by hand at full size. No speed is asserted: machines are busy."""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.stress import half_open, rude_viewers
from tests.stress.tcp_memory import held


def test_what_tcp_holds_is_told_apart_by_its_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with (
            socket.create_connection(("127.0.0.1", port)) as client,
            listener.accept()[0] as server,
        ):
            clients = {client.getsockname()[1]}
            assert max(held(port, clients)) < 10_000
            server.setblocking(False)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += server.send(bytes(100_000))
            both = held(port, clients)
            assert min(both) > 0
            assert sent <= sum(both) < 2 * sent
            assert max(held(port, set())) == 0


@pytest.mark.timeout(300)
def test_good_viewers_stay_among_rude_ones_and_nothing_is_left_of_those() -> None:
    result = rude_viewers.run(viewers=60, seconds=15.0, workers=2, within_s=90.0)
    assert (result.good, result.stalled, result.slow, result.passing) == (21, 30, 6, 3)
    assert (result.disconnected, result.broken) == (0, 0)
    assert result.least_share > 0
    # One frame each, and what the allocator makes of it; a queue would have held four hundred.
    assert result.worker_frames < 20
    # A low-water mark bounds it; left alone, the kernel takes megabytes of each.
    assert result.server_frames < 3
    assert result.left == 0
    assert sum(result.closed.values()) == result.accepted
    assert result.closed.keys() <= {"left", "stalled"}


@pytest.mark.timeout(300)
def test_snapshots_are_answered_beside_a_thousand_half_open_requests() -> None:
    result = half_open.run(half_open=1000, snapshots=30, workers=1, within_s=60.0)
    assert result.snapshots == 30
