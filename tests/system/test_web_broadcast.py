"""Many viewers of one worker, to whom frames go at once or one by one."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from tests.helpers.io_uring import uring
from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus
from web_workers.viewers.broadcast_send import FEWEST

VIEWERS = FEWEST + 3


def has_queues(pid: int) -> bool:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it is closed meanwhile
            if "io_uring" in os.readlink(descriptor):
                return True
    return False


@pytest.mark.parametrize(("option", "used"), [("auto", True), ("off", False)])
def test_many_viewers_see_whole_frames_in_order_beside_one_that_does_not_read(
    runtime: Path, bus: Bus, option: str, used: bool
) -> None:
    uring().close()  # whether it is to be had
    bus.start(size=20_000)
    with ExitStack() as stack:
        tier = stack.enter_context(closing(WebTier(runtime, environ={"FRAMEBUS_IO_URING": option})))
        (worker,) = tier.workers()
        assert has_queues(worker) == used
        lazy = stack.enter_context(closing(Stream(tier.port, receive_buffer=4096)))
        viewers = [Stream(tier.port).start() for _ in range(VIEWERS)]
        for viewer in viewers:
            stack.callback(viewer.close)
        for viewer in viewers:
            viewer.wait(lambda viewer=viewer: len(viewer.frames) >= 20, "20 frames")  # type: ignore[misc]
            viewer.check()
            sequences = [part.sequence for part in viewer.frames]
            assert sequences == sorted(set(sequences))
        bus.pause()

        def counted() -> bool:
            listed = {each["peer"]: each for each in tier.json("/state")["viewers"]["list"]}
            stalled = listed.pop(f"127.0.0.1:{lazy.local_port}", None)
            return (stalled is None or stalled["skipped"]) and all(
                listed[f"127.0.0.1:{viewer.local_port}"]["sent"]
                == len({part.sequence for part in viewer.frames})
                for viewer in viewers
            )

        until(counted, what="what is counted is what was received")
