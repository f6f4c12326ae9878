"""Damaged pictures and failed transfers: what the driver tells, and what only the bytes tell."""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guest.camera.client import PluggedCamera
from tests.guest.camera.pictures import without_huffman_tables
from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import Dequeued, Handle

NODROP = Path("/sys/module/uvcvideo/parameters/nodrop")
KERNELS = ("stable", "newer")


@pytest.fixture(params=[False, True], ids=["drop", "nodrop"])
def nodrop(request: pytest.FixtureRequest) -> Iterator[bool]:
    """The driver's parameter: whether damaged frames are delivered, flagged."""
    before = NODROP.read_text()
    NODROP.write_text("1" if request.param else "0")
    yield bool(request.param)
    NODROP.write_text(before)


def _start(handle: Handle) -> Dequeued:
    """Stream; return the first frame."""
    handle.set_format("MJPG", 640, 480)
    handle.start()
    return handle.dequeue()


def _start_unhurried(handle: Handle) -> Dequeued:
    """The same, with room for two seconds of frames: a reader that is late loses none."""
    handle.set_format("MJPG", 640, 480)
    handle.set_rate(15)
    handle.start(32)
    return handle.dequeue()


def _until(handle: Handle, wanted: int) -> list[Dequeued]:
    return [handle.dequeue() for _ in range(wanted)]


def test_the_default_of_nodrop_depends_on_the_kernel(
    camera: PluggedCamera, buffers_own: bool
) -> None:
    assert NODROP.read_text().strip() in (("1", "Y") if buffers_own else ("0", "N"))


@pytest.mark.parametrize("fault", ["truncated", "garbage"])
def test_damaged_contents_carry_no_error_flag(
    camera: PluggedCamera, handle: Handle, fault: str
) -> None:
    _start(handle)
    camera.arm(fault, 2)
    frames = _until(handle, 10)
    assert sum(not frame.whole for frame in frames) == 2
    assert not any(frame.faulty for frame in frames)


def _lost_and_flagged(frames: list[Dequeued]) -> tuple[int, int]:
    """Return how many numbers are missing in the sequence, and how many frames are flagged."""
    numbers = {frame.sequence for frame in frames}
    lost = max(numbers) - min(numbers) + 1 - len(numbers)
    return lost, sum(frame.faulty for frame in frames)


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("bulk", "error-bit"),
        ("bulk", "oversized"),
        ("isochronous", "error-bit"),
        ("isochronous", "lost-packet"),
    ],
)
def test_a_failed_transfer_is_a_gap_or_is_flagged(
    plug: Plug, nodrop: bool, model: str, fault: str
) -> None:
    camera = plug(model)
    with Handle(camera.wait_node()) as handle:
        first = _start_unhurried(handle)
        camera.arm(fault, 1)
        frames = [first, *_until(handle, 12)]
    assert _lost_and_flagged(frames) == ((0, 1) if nodrop else (1, 0))


@pytest.mark.parametrize("model", ["bulk", "isochronous"])
def test_a_payload_without_a_picture_is_a_gap_either_way(
    plug: Plug, nodrop: bool, model: str
) -> None:
    camera = plug(model)
    with Handle(camera.wait_node()) as handle:
        first = _start_unhurried(handle)
        camera.arm("empty", 1)
        frames = [first, *_until(handle, 12)]
    assert _lost_and_flagged(frames) == (1, 0)


def test_without_the_end_of_frame_bit_the_next_picture_ends_it(
    camera: PluggedCamera, handle: Handle
) -> None:
    _start(handle)
    camera.arm("no-eof", 2)
    frames = _until(handle, 8)
    assert all(frame.whole and not frame.faulty for frame in frames)


@pytest.mark.parametrize("fault", ["urb-protocol", "urb-stall"])
@pytest.mark.parametrize("model", ["bulk", "isochronous"])
def test_one_failed_urb_returns_every_buffer_empty_and_frames_go_on(
    plug: Plug, model: str, fault: str
) -> None:
    camera = plug(model)
    with Handle(camera.wait_node()) as handle:
        _start(handle)
        camera.arm(fault, 1)
        frames = _until(handle, 16)
    faulty = [frame for frame in frames if frame.faulty]
    assert 1 <= len(faulty) <= 4
    assert {(frame.sequence, frame.data) for frame in faulty} == {(0, b"")}
    assert frames[-1].whole


@pytest.mark.parametrize("model", ["bulk", "isochronous"])
def test_five_failed_urbs_end_the_stream_silently_and_a_restart_revives_it(
    plug: Plug, model: str
) -> None:
    camera = plug(model)
    with Handle(camera.wait_node()) as handle:
        _start(handle)
        camera.arm("urb-protocol", 5)
        for _ in range(40):
            if not handle.poll(4.0) & select.POLLIN:
                break
            handle.dequeue()
        else:
            pytest.fail("frames went on")
        assert handle.attempt("G_FMT") == "ok"
        handle.stop()
        handle.restart()
        assert handle.dequeue().whole


def test_pictures_without_huffman_tables_arrive_as_they_are(
    camera: PluggedCamera, handle: Handle
) -> None:
    _start(handle)
    camera.arm("no-dht")
    frame = _until(handle, 6)[-1]
    assert frame.whole
    assert without_huffman_tables(frame.data) == frame.data


def test_zeros_after_the_picture_arrive_too(camera: PluggedCamera, handle: Handle) -> None:
    _start(handle)
    camera.arm("padded")
    frame = _until(handle, 6)[-1]
    assert frame.whole
    assert frame.data.endswith(bytes(4096))


def test_a_picture_ten_times_larger_arrives_whole(camera: PluggedCamera, handle: Handle) -> None:
    _start(handle)
    usual = len(handle.dequeue().data)
    camera.arm("huge", 3)
    frames = _until(handle, 10)
    assert all(frame.whole and not frame.faulty for frame in frames)
    assert max(len(frame.data) for frame in frames) > 9 * usual


def test_a_frozen_picture_is_the_same_to_the_byte(camera: PluggedCamera, handle: Handle) -> None:
    _start(handle)
    camera.arm("frozen")
    frames = _until(handle, 8)[-3:]
    assert len({frame.data for frame in frames}) == 1
    assert len({frame.sequence for frame in frames}) == 3
