"""An HTTP server on a real socket that does exactly what a test scripts, and nothing else."""

from __future__ import annotations

import hashlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

MULTIPART = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=seam\r\n\r\n"


@dataclass
class Visit:
    """One connection, as the script sees it."""

    peer: socket.socket
    request: bytes
    number: int
    """0 for the first connection."""
    server: Server
    stopping: threading.Event
    """Set when the test is over: an endless script waits on it."""

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.peer.sendall(piece)

    def again(self) -> bytes:
        """Wait for a further request on this connection; empty if the client leaves instead."""
        request = b""
        while b"\r\n\r\n" not in request:
            if self.stopping.is_set():
                return b""
            self.peer.settimeout(0.05)
            with suppress(TimeoutError):
                data = self.peer.recv(4096)
                if not data:
                    return b""
                request += data
        self.peer.settimeout(30)
        self.server.requests.append(request)
        return request

    def linger(self) -> None:
        """Keep the connection open, silent, until the client leaves or the test ends."""
        self.peer.settimeout(0.05)
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                if not self.peer.recv(4096):
                    return


Script = Callable[[Visit], None]


@dataclass
class Server:
    """Where it listens, and what it was asked."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    visits: int = 0
    """Connections on which something was asked."""
    certificate: Path | None = None
    """Its own, self-signed, if it speaks TLS."""

    def fingerprint(self) -> str:
        """The SHA-256 of its certificate."""
        if self.certificate is None:
            raise ValueError("it speaks no TLS")
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        return hashlib.sha256(der).hexdigest()

    def url(self, path: str = "/stream", user: str = "") -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{user + '@' if user else ''}127.0.0.1:{self.port}{path}"


def part(body: bytes, *headers: str, length: bool = True) -> bytes:
    """One part, its delimiter before it."""
    lines = ["--seam", "Content-Type: image/jpeg", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


@contextmanager
def serving(
    script: Script, *, tls: bool = False, listener: socket.socket | None = None
) -> Iterator[Server]:
    """Serve `script` to each connection, one at a time; all is closed and joined at the end.

    `listener` is bound already: a server that begins where nothing has listened until now.
    """
    stopping = threading.Event()
    with ExitStack() as stack:
        context = _certified(Path(stack.enter_context(TemporaryDirectory()))) if tls else None
        if listener is None:
            listener = socket.create_server(("127.0.0.1", 0))
        stack.enter_context(listener)
        listener.listen()
        listener.settimeout(0.05)
        server = Server(listener.getsockname()[1], certificate=context and context[1])

        def run() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    peer, _ = listener.accept()
                    with peer:
                        _serve(peer, script, server, stopping, context and context[0])

        thread = threading.Thread(target=run, name="mjpeg-server")
        thread.start()
        try:
            yield server
        finally:
            stopping.set()
            thread.join()


def _serve(
    peer: socket.socket,
    script: Script,
    server: Server,
    stopping: threading.Event,
    context: ssl.SSLContext | None,
) -> None:
    peer.settimeout(30)
    request = b""
    with ExitStack() as stack:
        stack.enter_context(suppress(OSError))  # the client leaves when it likes
        if context is not None:
            peer = stack.enter_context(context.wrap_socket(peer, server_side=True))
        while b"\r\n\r\n" not in request:
            data = peer.recv(4096)
            if not data:
                return
            request += data
        server.requests.append(request)
        server.visits += 1
        script(Visit(peer, request, server.visits - 1, server, stopping))


def _certified(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1 that only those trust who are told to."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    kind = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    subprocess.run(
        ["openssl", "req", *kind, *names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
