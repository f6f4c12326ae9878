"""The kernel's limit on descriptors that one user has under way, for a user without privileges."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# Puts sockets in until there is no room, then takes all out, twice; tells how many it was.
PROGRAM = """
import os, resource, socket, sys
from web_workers.handover.viewer_state import ViewerState
from web_workers.handover.channel import Channel
from web_workers.handover.lanes import create_lanes
channel = Channel(create_lanes())
ours, client = socket.socketpair()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
os.setgroups([])
os.setresgid(65533, 65533, 65533)
os.setresuid(65533, 65533, 65533)
zero = dict.fromkeys(("joined_ns", "moved_ns", "bytes_sent", "unwanted"), 0)
carried = ViewerState(camera=None, states=True, peer="x", **zero)
told = []
for _ in range(2):
    count = 0
    while count < 1000 and channel.put(carried, ours.fileno(), None):
        count += 1
    told.append(count)
    while (arrival := channel.take()) is not None:
        arrival.sock.close()
    told.append(channel.waiting())
print(told)
"""


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become a user without privileges")
def test_the_limit_of_descriptors_under_way_is_no_room_and_passes() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, check=True, timeout=50
    )
    first, left, again, left_again = json.loads(told.stdout)
    assert 0 < first < 100
    assert (left, left_again) == (0, 0)
    assert again == first
