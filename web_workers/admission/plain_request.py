"""A request of the plainest form, read at once: what gunicorn's parser would make of it. Pure.

Nearly all that ask for snapshots send it: GET or HEAD, a path without escapes, HTTP/1.1, a handful
of headers in printable ASCII, no body. Whatever else there may be in a request is no plain one, and
gunicorn's parser alone reads it; so nothing can be understood here that is an error there.
tests/fuzz/test_plain_requests.py compares the two.
"""

from __future__ import annotations

import re

PLAIN_MAX = 2048
"""Bytes. Browsers and players send a few hundred."""

# A fragment ("#") and a second slash at the beginning mean something to gunicorn.
_REQUEST = re.compile(
    rb"(GET|HEAD) (/(?!/)[\w.~/-]*)(?:\?([!-\"$-~]*))? HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]+:[\t -~]*\r\n)+)\r\n"
)
_NOT_PLAIN = frozenset(
    {
        *("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_TYPE", "HTTP_EXPECT"),
        *("HTTP_UPGRADE", "HTTP_HTTP2_SETTINGS", "HTTP_TE", "HTTP_TRAILER"),
        *("HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"),
        *("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"),
    }
)
"""Headers that announce a body, change the protocol, or ask for less than the whole response."""
_CONNECTION = frozenset({"", "close", "keep-alive"})


def address_of(client: object) -> str:
    """Return whoever connects as a WSGI environment has it: `client` is the socket's address."""
    return str(client[0] if isinstance(client, tuple) else client)


def environ_of(request: bytes, address: str) -> dict[str, str] | None:
    """Return what a WSGI environment says of a plain request from there; None for any other."""
    match = _REQUEST.fullmatch(request) if len(request) <= PLAIN_MAX else None
    if match is None:
        return None
    method, path, query, head = match.groups()
    environ = {
        "REQUEST_METHOD": method.decode(),
        "PATH_INFO": path.decode(),
        "QUERY_STRING": query.decode() if query else "",
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address,
        "wsgi.url_scheme": "http",
    }
    fields = head.decode().split("\r\n")[:-1]
    for field in fields:
        name, _, value = field.partition(":")
        environ["HTTP_" + name.upper().replace("-", "_")] = value.strip(" \t")
    plain = (
        len(environ) == 7 + len(fields)  # none came twice
        and environ.get("HTTP_CONNECTION", "").lower() in _CONNECTION
        and "HTTP_HOST" in environ
        and _NOT_PLAIN.isdisjoint(environ)
    )
    return environ if plain else None


def is_last(environ: dict[str, str]) -> bool:
    """Whether the client of a plain request wants the connection closed after the response."""
    return environ.get("HTTP_CONNECTION", "").lower() == "close"
