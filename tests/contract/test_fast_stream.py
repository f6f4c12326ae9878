"""The v4l2 source with the fast path and without: one suite, over the fake camera."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from linuxpy.video.raw import IOC, BufferFlag, v4l2_buffer

from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2.fake import FrameFault
from capture_daemon.v4l2.ops import Argument
from tests.fakes.ioctl_address import IoctlAddress
from tests.helpers.waiting import until
from tests.rigs.fast_stream import Stage
from tests.samples.small_jpeg import WHOLE


@pytest.fixture(params=[True, False], ids=["fast", "slow"])
def stage(request: pytest.FixtureRequest, runtime: Path) -> Iterator[Stage]:
    with closing(Stage(runtime, fast=request.param)) as stage:
        yield stage


@pytest.fixture
def fast(runtime: Path) -> Iterator[Stage]:
    with closing(Stage(runtime, fast=True)) as stage:
        yield stage


def test_frames_are_published_counted_and_told_of_alike(stage: Stage) -> None:
    stage.send(20)
    assert stage.published() == [
        (stage.camera.picture("MJPG", (0, 0), number), number) for number in range(23)
    ]
    assert stage.heard == list(range(1, 24))
    counts = stage.path.counters[0].counts(0)
    assert (counts.captured, counts.published, counts.missed, counts.rejected) == (23, 23, 0, {})
    assert stage.returned == (0 if stage.fast_path else 20)


def test_what_is_not_usual_is_judged_as_ever_and_nothing_is_counted_twice(stage: Stage) -> None:
    stage.send(2, FrameFault.TRUNCATED, FrameFault.GARBAGE)
    stage.send(2)
    stage.send(2, FrameFault.ERROR_BIT, FrameFault.EMPTY)
    stage.kernel.fail_urbs(count=1)
    stage.drain()
    stage.send(2)
    counts = stage.path.counters[0].counts(0)
    assert counts.captured == counts.published + sum(counts.rejected.values())
    assert counts.published == 3 + 2 + 2
    assert counts.rejected == {"no-eoi": 1, "no-soi": 1, "flagged": 2 + 16}
    assert len(stage.published()) == 7
    assert stage.heard == list(range(1, 8))


def test_frames_that_were_lost_before_us_are_counted_as_missed(stage: Stage) -> None:
    for _ in range(20):  # of which sixteen have a buffer
        stage.kernel.deliver()
    stage.drain()
    stage.send()
    counts = stage.path.counters[0].counts(0)
    assert (counts.published, counts.missed) == (3 + 16 + 1, 4)


def test_numbers_go_on_over_a_restart_of_the_stream(stage: Stage) -> None:
    stage.send(2)
    stage.source.restart_stream()
    stage.path.counters[0].begin_session()
    stage.send(2)
    assert [number for _, number in stage.published()] == [0, 1, 2, 3, 4, 5, 6]
    assert stage.path.counters[0].counts(0).missed == 0


def test_frames_that_nobody_wants_are_dropped_and_counted_and_one_now_and_then_is_not(
    stage: Stage,
) -> None:
    stage.path.gates[0].limit(0.001)
    stage.send(20)
    counts = stage.path.counters[0].counts(0)
    assert (counts.captured, counts.published, counts.rejected) == (23, 4, {"unwatched": 19})
    assert stage.returned == (1 if stage.fast_path else 20)
    stage.path.gates[0].limit(None)
    stage.send(20)
    counts = stage.path.counters[0].counts(0)
    assert (counts.captured, counts.published, counts.rejected) == (43, 24, {"unwatched": 19})
    assert stage.returned == (2 if stage.fast_path else 40)


def test_a_fallback_on_the_air_is_replaced_by_the_cameras_next_frame(stage: Stage) -> None:
    stage.path.switcher.show_fallback(True)
    stage.send(2)
    assert len(stage.published()) == 5
    assert stage.path.outlet.state.on_air == 0


def test_a_picture_that_stays_the_same_is_seen(stage: Stage) -> None:
    stage.send(2)
    before_ns = stage.publisher.freeze_detector.since_ns
    stage.camera.picture = lambda fourcc, size, count: WHOLE  # type: ignore[method-assign]
    stage.send(1)
    since_ns = stage.publisher.freeze_detector.since_ns
    stage.send(5)
    assert stage.publisher.freeze_detector.since_ns == since_ns > before_ns


def test_an_interrupt_ends_a_wait_at_once(stage: Stage) -> None:
    threading.Timer(0.05, stage.interrupt.set).start()
    assert stage.read(30.0) is None


def test_an_unplugged_camera_is_gone(stage: Stage) -> None:
    stage.kernel.unplug()
    with pytest.raises(SourceError) as error:
        stage.read(30.0)
    assert error.value.code == "device-gone"


def test_a_buffer_comes_back_to_the_kernel_whichever_path_took_it(stage: Stage) -> None:
    for _ in range(5):
        stage.send(16)
        stage.send(1, FrameFault.GARBAGE)
    assert stage.path.counters[0].counts(0).missed == 0


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODEV])
def test_an_error_of_an_ioctl_has_its_name_and_its_meaning(fast: Stage, number: int) -> None:
    fast.kernel.deliver()
    fast.failures = [OSError(number, "")]
    with pytest.raises(SourceError) as error:
        fast.read(30.0)
    assert (error.value.operation, error.value.errno) == ("DQBUF", number)
    fast.send()
    fast.failures = [OSError(number, "")]
    fast.kernel.deliver()
    with pytest.raises(SourceError) as error:
        fast.read(30.0)
    assert error.value.operation == ("DQBUF")


def test_a_buffer_that_cannot_be_queued_is_told_of(fast: Stage) -> None:
    fast.kernel.deliver()
    assert fast.fast_path is not None
    refused = OSError(errno.EIO, "")
    sound = fast.ioctl

    def ioctl(fd: int, request: IOC, argument: Argument) -> None:
        if request is IOC.QBUF:
            raise refused
        sound(fd, request, argument)

    fast._ioctl = IoctlAddress(ioctl)
    fast.kernel.ioctl_address = fast._ioctl.address
    with pytest.raises(SourceError) as error:
        fast.read(30.0)
    assert (error.value.operation, error.value.errno) == ("QBUF", errno.EIO)


def test_an_ioctl_that_a_signal_cut_short_is_done_again(fast: Stage) -> None:
    fast.failures = [OSError(errno.EINTR, "")]
    fast.send()
    assert (fast.returned, len(fast.published())) == (0, 4)


def test_a_frame_that_was_not_there_after_all_is_waited_for(fast: Stage) -> None:
    fast.kernel.deliver()
    fast.failures = [OSError(errno.EAGAIN, "")]
    assert fast.read(30.0) is None
    fast.drain()
    assert len(fast.published()) == 4


def test_nobody_waits_for_an_ioctl_that_hangs(fast: Stage) -> None:
    """Counts can be read, and who is behind told of, while the camera does not answer."""
    hangs, answers = threading.Event(), threading.Event()

    def ioctl(fd: int, request: IOC, argument: Argument) -> None:
        hangs.set()
        assert answers.wait(30)
        fast.kernel.ioctl(fd, request, argument)

    fast._ioctl = IoctlAddress(ioctl)
    fast.kernel.ioctl_address = fast._ioctl.address
    fast.kernel.deliver()
    thread = threading.Thread(target=fast.drain)
    before_ns = fast.publisher.heartbeat_ns
    thread.start()
    try:
        assert hangs.wait(30)
        assert fast.publisher.heartbeat_ns > before_ns, "since when it hangs is not told"
        assert fast.path.counters[0].counts(0).published == 3
        fast.path.switcher.show_fallback(True)
        fast.path.subscribe()
    finally:
        answers.set()
        thread.join()
    assert len(fast.published()) == 4


def test_who_leaves_is_told_no_more_and_who_wants_only_some_gets_those(stage: Stage) -> None:
    epoch = stage.path.writer.epoch.to_bytes(8, "little")
    some = stage.path.subscribe(epoch)
    none = stage.path.subscribe(b"another")
    stage.send(2)
    assert stage.returned == 2, "the fast path sent what only some wanted"
    assert stage.path.announced(some.heard()) == [4, 5]
    assert none.heard() == b""
    some.socket.close()
    none.socket.close()
    until(lambda: not stage.path.outlet.state.others)
    stage.returned = 0
    stage.send(2)
    assert stage.returned == (0 if stage.fast_path else 2)
    assert stage.heard == list(range(1, 8))


def test_who_does_not_read_loses_hints_and_no_frame(stage: Stage) -> None:
    lazy = stage.path.subscribe()
    stage.send(300)
    assert stage.heard == list(range(1, 304))
    assert stage.path.counters[0].counts(0).published == 303
    assert 10 < len(stage.path.announced(lazy.heard())) < 300
    stage.send()
    assert stage.path.announced(lazy.heard()) == [304]


def test_a_length_that_is_beyond_the_mapping_is_not_believed(fast: Stage) -> None:
    def ioctl(fd: int, request: IOC, argument: Argument) -> None:
        fast.kernel.ioctl(fd, request, argument)
        if request is IOC.DQBUF:
            assert isinstance(argument, v4l2_buffer)
            argument.bytesused = 1 << 31

    fast._ioctl = IoctlAddress(ioctl)
    fast.kernel.ioctl_address = fast._ioctl.address
    fast.send()
    assert fast.returned == 1


@pytest.mark.parametrize("clock", [BufferFlag.TIMESTAMP_COPY, BufferFlag.TIMESTAMP_UNKNOWN])
def test_a_stamp_of_another_clock_is_not_believed(fast: Stage, clock: BufferFlag) -> None:
    def ioctl(fd: int, request: IOC, argument: Argument) -> None:
        fast.kernel.ioctl(fd, request, argument)
        if request is IOC.DQBUF:
            assert isinstance(argument, v4l2_buffer)
            argument.flags = argument.flags & ~BufferFlag.TIMESTAMP_MASK | clock

    fast._ioctl = IoctlAddress(ioctl)
    fast.kernel.ioctl_address = fast._ioctl.address
    fast.send()
    assert (fast.returned, len(fast.published())) == (1, 4)
