"""An RTSP server that sends JPEGs over its own connection (RFC 2326, RFC 2435)."""

from __future__ import annotations

import base64
import io
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from PIL import Image

_PAYLOAD = 1200
_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:t\r\n"


@dataclass
class RtspServer:
    """Where it listens, and what it was asked."""

    port: int
    requests: list[str] = field(default_factory=list)


@contextmanager
def rtsp(pictures: Sequence[bytes], *, user: str = "", status: str = "") -> Iterator[RtspServer]:
    """Serve `pictures`, again and again, 20 a second, to who shows `user` ("name:password").

    With `status` ("404 Gone"), DESCRIBE is answered with that.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RtspServer(listener.getsockname()[1])

        def loop() -> None:
            while not over.is_set():
                with suppress(OSError):
                    peer, _ = listener.accept()
                    peer.settimeout(0.05)
                    threads.append(threading.Thread(target=visit, args=(peer,)))
                    threads[-1].start()

        def visit(peer: socket.socket) -> None:
            with peer, suppress(OSError):
                _Visit(peer, server, pictures, user, status, over.is_set).run()

        listener.settimeout(0.05)
        threads = [threading.Thread(target=loop)]
        threads[0].start()
        try:
            yield server
        finally:
            over.set()
            for thread in threads:
                thread.join()


@dataclass
class _Visit:
    peer: socket.socket
    server: RtspServer
    pictures: Sequence[bytes]
    user: str
    status: str
    over: Callable[[], bool]
    buffer: bytes = b""

    def run(self) -> None:
        while not self.over():
            request = self._request()
            if not request:
                continue
            self.server.requests.append(request)
            method = request.split(" ", 1)[0]
            shown = base64.b64encode(self.user.encode()).decode()
            if method != "OPTIONS" and self.user and f"Basic {shown}" not in request:
                self._answer(request, "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')
            elif method == "DESCRIBE" and self.status:
                self._answer(request, self.status)
            elif method == "DESCRIBE":
                self._answer(request, "200 OK", "Content-Type: application/sdp", body=_SDP)
            elif method == "SETUP" and "interleaved" not in request:
                self._answer(request, "461 Unsupported Transport")
            elif method == "SETUP":
                transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
                self._answer(request, "200 OK", transport, "Session: 1")
            elif method == "PLAY":
                self._answer(request, "200 OK", "Session: 1")
                self._play()
            else:
                self._answer(request, "200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN")

    def _request(self) -> str:
        with suppress(TimeoutError):
            piece = self.peer.recv(65536)
            if not piece:
                raise ConnectionError
            self.buffer += piece
        text, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return ""
        self.buffer = rest
        return text.decode()

    def _answer(self, request: str, status: str, *headers: str, body: str = "") -> None:
        number = next(line for line in request.split("\r\n") if line.startswith("CSeq"))
        lines = [f"RTSP/1.0 {status}", number, *headers, f"Content-Length: {len(body)}", "", body]
        self.peer.sendall("\r\n".join(lines).encode())

    def _play(self) -> None:
        count = packets = 0
        while not self.over():
            picture = self.pictures[count % len(self.pictures)]
            for payload, last in _payloads(picture):
                head = struct.pack(
                    ">BBHII", 0x80, 26 | last << 7, packets & 0xFFFF, count * 4500, 1
                )
                packet = head + payload
                self.peer.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                packets += 1
            count += 1
            with suppress(TimeoutError):
                if not self.peer.recv(65536):  # also what makes it 20 a second
                    raise ConnectionError


def _payloads(picture: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield a baseline 4:2:0 JPEG with the usual Huffman tables as RFC 2435 has it."""
    with Image.open(io.BytesIO(picture)) as image:
        width, height = image.size
    tables = b""
    at = 2
    while picture[at : at + 2] != b"\xff\xda":
        length = int.from_bytes(picture[at + 2 : at + 4], "big")
        if picture[at + 1] == 0xDB:
            segment = picture[at + 4 : at + 2 + length]
            tables += b"".join(
                segment[start + 1 : start + 65] for start in range(0, len(segment), 65)
            )
        at += 2 + length
    scan = picture[at + 2 + int.from_bytes(picture[at + 2 : at + 4], "big") : -2]
    for start in range(0, len(scan), _PAYLOAD):
        head = struct.pack(">IBBBB", start, 1, 255, width // 8, height // 8)
        if start == 0:
            head += struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield head + scan[start : start + _PAYLOAD], start + _PAYLOAD >= len(scan)
