"""The emulated camera's pure parts: what goes wrong here would look like a driver's behaviour."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.guest.camera import descriptors, pictures
from tests.guest.camera.controls import GET_CUR, OUT_OF_RANGE, SET_CUR, Controls, Refused
from tests.guest.camera.faults import FAULTS, Faults
from tests.guest.camera.model import BULK, MODELS, PROCESSING_UNIT
from tests.guest.camera.negotiation import COMMIT, PROBE, Negotiation
from tests.guest.camera.stream import Stream
from tests.guest.camera.usbip import Packet, Submit, parse, reply, reply_packets
from tests.samples import pictures as jpegs

BRIGHTNESS = (PROCESSING_UNIT, 0x02)
INTERVAL_NS = 33_333_300
GUEST = Path(__file__).parents[1] / "guest"


def _parts(data: bytes) -> list[bytes]:
    """Split descriptors by their length bytes."""
    found = []
    while data:
        assert data[0] >= 2
        found.append(data[: data[0]])
        data = data[data[0] :]
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_row_of_what_user_space_sees(fault: str) -> None:
    rows = [*(GUEST / "inside").glob("test_*.py"), *(GUEST / "recovery").glob("*.py")]
    assert any(f'"{fault}"' in file.read_text() for file in rows)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_descriptors_add_up(model: object) -> None:
    assert isinstance(model, type(BULK))
    whole = descriptors.configuration(model)
    assert struct.unpack_from("<H", whole, 2)[0] == len(whole)
    assert b"".join(_parts(whole)) == whole
    assert len(descriptors.device()) == 18


def test_fault_acts_as_often_as_it_was_armed_for() -> None:
    faults = Faults()
    faults.arm("truncated", 2)
    assert [faults.take("truncated") for _ in range(3)] == [True, True, False]
    faults.arm("truncated")
    assert [faults.take("truncated") for _ in range(3)] == [True, True, True]
    faults.clear()
    assert not faults.on("truncated")


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(KeyError, match="truncated"):
        Faults().arm("typo")


def test_control_keeps_its_value_and_its_range() -> None:
    controls = Controls(BULK)
    controls.request(*BRIGHTNESS, SET_CUR, (-9).to_bytes(2, "little", signed=True))
    answer = controls.request(*BRIGHTNESS, GET_CUR, b"")
    assert int.from_bytes(answer, "little", signed=True) == -9
    with pytest.raises(Refused) as refused:
        controls.request(*BRIGHTNESS, SET_CUR, (999).to_bytes(2, "little"))
    assert refused.value.reason == OUT_OF_RANGE


def test_probe_answers_with_the_nearest_offer_and_commit_fixes_it() -> None:
    negotiation = Negotiation(BULK)
    proposal = struct.pack("<HBBI", 1, 1, 2, 400_000).ljust(34, b"\0")
    negotiation.request(PROBE, SET_CUR, proposal)
    answer = negotiation.request(PROBE, GET_CUR, b"")
    assert struct.unpack_from("<HBBI", answer) == (1, 1, 2, 333_333)
    assert negotiation.committed is None
    negotiation.request(COMMIT, SET_CUR, answer)
    assert negotiation.committed is not None
    assert negotiation.committed.size.width == 1280


def test_urb_header_is_parsed_and_answered() -> None:
    header = struct.pack(">IIIIIIiiii8s", 1, 77, 0, 1, 1, 0, 512, 0, -1, 0, bytes(8))
    request = parse(header)
    assert request == Submit(77, inward=True, endpoint=1, length=512, setup=bytes(8), packets=0)
    assert isinstance(request, Submit)
    answer = reply(request, b"abc")
    assert struct.unpack_from(">II", answer) == (3, 77)
    assert answer[48:] == b"abc"


def test_lost_packet_is_an_error_of_its_own_and_no_bytes() -> None:
    request = Submit(5, inward=True, endpoint=1, length=2048, setup=bytes(8), packets=2)
    answer = reply_packets(request, [Packet(0, 1024), Packet(1024, 1024)], [b"xy", -18])
    assert answer[48:50] == b"xy"
    assert [row[2:] for row in struct.iter_unpack(">IIIi", answer[50:])] == [(2, 0), (0, -18)]


def test_picture_carries_its_stamp_and_loses_only_its_tables() -> None:
    plain = jpegs.jpeg(1, 64, 48)
    stamped = (
        plain[:-2] + pictures.comment(b"framebus:0000000007:00000000000000000042;") + plain[-2:]
    )
    assert pictures.read_stamp(stamped) == pictures.Stamp(7, 42)
    bare = pictures.without_huffman_tables(stamped)
    assert len(bare) < len(stamped)
    assert [marker for marker, _ in pictures.segments(bare)].count(0xC4) == 0
    assert pictures.without_huffman_tables(bare) == bare


def test_stream_cuts_a_picture_into_payloads_and_drops_it_when_it_ends(tmp_path: Path) -> None:
    picture = jpegs.jpeg(1, 640, 480)
    for number in range(pictures.CLIP_LENGTH):
        pictures.clip_file(tmp_path, 640, 480, number).write_bytes(picture)
    negotiation = Negotiation(BULK)
    negotiation.request(COMMIT, SET_CUR, struct.pack("<HBBI", 1, 1, 1, 333_333).ljust(34, b"\0"))
    assert negotiation.committed is not None
    faults = Faults()
    stream = Stream(negotiation.committed, tmp_path, faults)
    waiting = [Submit(n, True, 1, 16384, bytes(8), 0) for n in range(5)]
    for request in waiting:
        stream.submitted(request, [], 0)
    assert stream.pump(INTERVAL_NS - 1) == []
    sent = [answer[48:] for answer in stream.pump(INTERVAL_NS)]
    assert [payload[1] & 2 for payload in sent] == [0] * (len(sent) - 1) + [2]
    assert picture[:-2] in b"".join(payload[2:] for payload in sent)
    for request in waiting:
        stream.unlink(request.seqnum)
    assert stream.due_ns is None
