"""An address that gives one picture is a source too: it is asked again and again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from capture_daemon.sources.base import Interrupt, SourceError
from capture_daemon.sources.http.source import HttpSource
from tests.contract.source_contract import take
from tests.fakes.mjpeg_server import Script, Visit, serving
from tests.helpers.waiting import until
from tests.samples import pictures

PICTURES = [pictures.jpeg(number) for number in range(6)]
FAST = 50.0


def answer(body: bytes, *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: image/jpeg", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def answering(answers: Callable[[int, bytes], bytes], *, once: bool = False) -> Script:
    """Answer request number N with `answers(N, request)`, on one connection unless `once`."""

    def script(visit: Visit) -> None:
        request = visit.request
        while request:
            visit.send(answers(len(visit.server.requests) - 1, request))
            request = b"" if once else visit.again()

    return script


def test_it_is_asked_again_over_the_same_connection(interrupt: Interrupt) -> None:
    with serving(answering(lambda number, _: answer(PICTURES[number % 6]))) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        granted = source.open()
        frames = take(source, 5)
        source.close()
    assert granted.fps == FAST
    assert [frame.data for frame in frames] == PICTURES[:5]
    assert [frame.captured.device_sequence for frame in frames] == [1, 2, 3, 4, 5]
    assert server.visits == 1


@pytest.mark.parametrize("length", [True, False])
def test_a_server_that_closes_each_time_is_asked_anew(interrupt: Interrupt, length: bool) -> None:
    def answers(number: int, _: bytes) -> bytes:
        return answer(PICTURES[number % 6], "Connection: close", length=length)

    with serving(answering(answers, once=True)) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        assert [frame.data for frame in take(source, 4)] == PICTURES[:4]
        source.close()
    assert server.visits >= 4


def test_a_picture_without_a_length_that_is_followed_by_nothing_is_asked_again(
    interrupt: Interrupt,
) -> None:
    def script(visit: Visit) -> None:
        visit.send(answer(PICTURES[visit.number % 6], length=False))
        visit.linger()

    with serving(script) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        assert [frame.data for frame in take(source, 3)] == PICTURES[:3]
        source.close()


def test_an_unchanged_picture_is_shown_again_and_not_sent_again(interrupt: Interrupt) -> None:
    def answers(number: int, request: bytes) -> bytes:
        if b'If-None-Match: "v1"' in request and b"If-Modified-Since: Sat" in request:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n'
        return answer(PICTURES[0], 'ETag: "v1"', "Last-Modified: Sat")

    with serving(answering(answers)) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        frames = take(source, 4)
        source.close()
    assert [frame.data for frame in frames] == PICTURES[:1] * 4
    assert [frame.captured.device_sequence for frame in frames] == [1, 2, 3, 4]
    assert server.visits == 1


def test_an_error_costs_its_tick(interrupt: Interrupt) -> None:
    busy = answer(b"no", status="503 Busy")

    def answers(number: int, _: bytes) -> bytes:
        return busy if number in (1, 3, 4) else answer(PICTURES[number % 6])

    with serving(answering(answers)) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        frames = take_patiently(source, 3)
        source.close()
    assert frames == [(PICTURES[0], 1), (PICTURES[2], 3), (PICTURES[5], 6)]


def take_patiently(source: HttpSource, count: int) -> list[tuple[bytes, int]]:
    """Read `count` pictures with their numbers, whatever ticks have none."""
    found: list[tuple[bytes, int]] = []

    def enough() -> bool:
        captured = source.read(0.5)
        if captured is not None:
            found.append((bytes(captured.data), captured.device_sequence))
        return len(found) == count

    until(enough, what="pictures")
    return found


@pytest.mark.parametrize(
    ("late", "code"),
    [
        (answer(b"no", status="503 Busy"), "bad-status"),
        (answer(b"", status="404 Gone"), "not-found"),
        (b"", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", "not-multipart"),
    ],
)
def test_errors_one_after_another_are_the_sources(
    interrupt: Interrupt, late: bytes, code: str
) -> None:
    def answers(number: int, _: bytes) -> bytes:
        return late if number else answer(PICTURES[0])

    with serving(answering(answers, once=True)) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        take(source, 1)

        def read_on() -> None:
            while True:
                source.read(0.5)

        with pytest.raises(SourceError) as failure:
            read_on()
        source.close()
    assert failure.value.code == code


def test_an_address_that_becomes_a_stream_is_opened_anew(interrupt: Interrupt) -> None:
    def answers(number: int, _: bytes) -> bytes:
        if not number:
            return answer(PICTURES[0])
        head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"
        return head + (b"--x\r\n\r\n" + PICTURES[1] + b"\r\n") * 2

    with serving(answering(answers)) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        take(source, 1)
        with pytest.raises(SourceError, match="stream now"):
            source.read(5)
        source.close()


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", ""])
def test_a_picture_of_another_type_that_ends_with_the_connection_is_one_too(
    interrupt: Interrupt, content_type: str
) -> None:
    def script(visit: Visit) -> None:
        head = f"HTTP/1.0 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode()
        visit.send(head, PICTURES[visit.number % 6][:300])
        visit.stopping.wait(0.01)
        visit.send(PICTURES[visit.number % 6][300:])

    with serving(script) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        assert [frame.data for frame in take(source, 4)] == PICTURES[:4]
        source.close()


def test_a_multipart_answer_of_one_picture_is_asked_again(interrupt: Interrupt) -> None:
    def answers(number: int, _: bytes) -> bytes:
        head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=x\r\n\r\n"
        return (
            head + b"--x\r\nContent-Type: image/jpeg\r\n\r\n" + PICTURES[number] + b"\r\n--x--\r\n"
        )

    with serving(answering(answers, once=True)) as server:
        source = HttpSource(server.url(), interrupt, fps=FAST)
        source.open()
        assert [frame.data for frame in take(source, 3)] == PICTURES[:3]
        source.close()


def test_it_is_asked_twice_a_second_unless_told_otherwise(interrupt: Interrupt) -> None:
    with serving(answering(lambda *_: answer(PICTURES[0]))) as server:
        source = HttpSource(server.url(), interrupt)
        assert source.open().fps == 2.0
        source.close()


def test_a_wait_for_the_next_tick_can_be_interrupted(interrupt: Interrupt) -> None:
    with serving(answering(lambda *_: answer(PICTURES[0]))) as server:
        source = HttpSource(server.url(), interrupt, fps=0.01)
        source.open()
        take(source, 1)
        interrupt.set()
        assert source.read(60.0) is None
        source.close()
