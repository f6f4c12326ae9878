"""A client's connection to a web tier, whose responses are read one after another."""

from __future__ import annotations

import socket


def connect(port: int, *, receive_buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    if receive_buffer:  # must be set before connect to bound the window (tcp(7))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", port))
    return connection


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """One response's head and body, whose length it tells."""
    head, body = b"", b""
    while not head.endswith(b"\r\n\r\n"):
        got = connection.recv(1)  # not a byte of the next response
        assert got, head
        head += got
    (length,) = (
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        got = connection.recv(length - len(body))
        assert got, head
        body += got
    return head, body
