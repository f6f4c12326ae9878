"""Names and passwords, and to whom the http source shows them."""

from __future__ import annotations

import hashlib
import re

import pytest

from capture_daemon.sources.base import Interrupt, SourceUnusable
from capture_daemon.sources.http.source import HttpSource
from tests.contract.source_contract import take
from tests.fakes.mjpeg_server import MULTIPART, Script, Visit, part, serving
from tests.samples import pictures

FRAME = pictures.jpeg()
USER = "me:sec%40ret"
BASIC = b"Authorization: Basic bWU6c2VjQHJldA=="


def unauthorized(*challenges: str) -> bytes:
    lines = ["HTTP/1.1 401 No", *(f"WWW-Authenticate: {each}" for each in challenges)]
    return "\r\n".join([*lines, "Content-Length: 2", "", "no"]).encode()


def stream(visit: Visit) -> None:
    visit.send(MULTIPART, part(FRAME))
    visit.linger()


def digest_is_right(request: bytes, nonce: str, algorithm: str = "MD5") -> bool:
    """Work the response out anew, as a server does (RFC 7616, 3.4)."""
    fields = re.findall(rb'(\w+)=(?:"([^"]*)"|([^",\r]*))', request.partition(b"Digest ")[2])
    said = {name.decode(): (quoted or plain).decode() for name, quoted, plain in fields}

    def hashed(text: str) -> str:
        name = {"MD5": "md5", "SHA-256": "sha256"}[algorithm]
        return hashlib.new(name, text.encode()).hexdigest()

    secret, asked = hashed("me:camera:sec@ret"), hashed("GET:" + said["uri"])
    middle = ":".join(said[key] for key in ("nc", "cnonce", "qop"))
    return bool(said["response"] == hashed(f"{secret}:{nonce}:{middle}:{asked}"))


def digest_server(algorithm: str, nonces: list[str]) -> Script:
    """Each nonce is good for one request."""

    def script(visit: Visit) -> None:
        request, number = visit.request, 0
        while request:
            nonce = nonces[min(number, len(nonces) - 1)]
            if f'nonce="{nonce}"'.encode() in request:
                assert digest_is_right(request, nonce, algorithm)
                stream(visit)
                return
            stale = ", stale=true" if b"Digest" in request else ""
            visit.send(
                unauthorized(
                    f'Digest realm="camera", qop="auth-int,auth", algorithm={algorithm}, '
                    f'nonce="{nonce}"{stale}'
                )
            )
            request, number = visit.again(), number + 1

    return script


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_digest_is_answered_on_the_same_connection_and_the_password_never_sent(
    interrupt: Interrupt, algorithm: str
) -> None:
    with serving(digest_server(algorithm, ["abc"])) as server:
        source = HttpSource(server.url("/a?b=c,d", user=USER), interrupt)
        source.open()
        assert take(source, 1)[0].data == FRAME
        source.close()
    assert server.visits == 1
    assert not any(b"Basic" in request for request in server.requests)
    assert b'uri="/a?b=c,d"' in server.requests[1]


def test_a_stale_nonce_is_replaced(interrupt: Interrupt) -> None:
    def script(visit: Visit) -> None:
        old = b'nonce="old"' in visit.request
        new = b'nonce="new"' in visit.request
        if new:
            stream(visit)
        nonce = "new" if old else "old"
        stale = ", stale=TRUE" if old else ""
        visit.send(unauthorized(f'Digest realm="r", qop="auth", nonce="{nonce}"{stale}'))

    with serving(script) as server:
        source = HttpSource(server.url(user=USER), interrupt)
        source.open()
        take(source, 1)
        source.close()
    assert len(server.requests) == 3


def test_a_nonce_is_used_again_with_the_next_count(interrupt: Interrupt) -> None:
    with serving(digest_server("MD5", ["abc"])) as server:
        source = HttpSource(server.url(user=USER), interrupt)
        for _ in range(2):
            source.open()
            take(source, 1)
        source.close()
    assert [b"nc=00000001" in server.requests[1], b"nc=00000002" in server.requests[2]] == [
        *(True, True)
    ]


def test_the_strongest_that_is_offered_is_taken(interrupt: Interrupt) -> None:
    def script(visit: Visit) -> None:
        if b"Authorization" in visit.request:
            stream(visit)
        weak = 'Digest realm="r", nonce="1", algorithm=MD5, Basic realm="r"'
        strong = 'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"'
        visit.send(
            unauthorized(weak, strong, 'Negotiate, Digest realm="r", qop="auth-int", nonce="3"')
        )

    with serving(script) as server:
        source = HttpSource(server.url(user=USER), interrupt)
        source.open()
        source.close()
    assert b'nonce="2"' in server.requests[1]


def test_nothing_is_sent_before_it_is_asked_for(interrupt: Interrupt) -> None:
    with serving(stream) as server:
        source = HttpSource(server.url(user=USER), interrupt)
        source.open()
        source.close()
    assert b"Authorization" not in server.requests[0]


@pytest.mark.parametrize("refusal", [b"HTTP/1.0 403 No\r\n\r\n", b"HTTP/1.0 401 No\r\n\r\n"])
def test_a_server_that_refuses_without_a_word_is_shown_the_password(
    interrupt: Interrupt, refusal: bytes
) -> None:
    def script(visit: Visit) -> None:
        if BASIC in visit.request:
            stream(visit)
        else:
            visit.send(refusal)

    with serving(script) as server:
        source = HttpSource(server.url(user=USER), interrupt)
        for _ in range(2):  # the second time at once
            source.open()
            take(source, 1)
        source.close()
    assert [BASIC in request for request in server.requests] == [False, True, True]


@pytest.mark.parametrize(
    ("challenge", "asked"),
    [
        ("Basic realm=x", 2),
        ('Digest realm="x", nonce="1", qop="auth"', 2),
        ('Digest realm="x", nonce="1", stale=true', 4),
        ("Digest x", 1),
        ('Digest realm="x", nonce="1", algorithm=UNKNOWN', 1),
        ("Negotiate", 1),
    ],
)
def test_a_refusal_for_good_ends_the_try(interrupt: Interrupt, challenge: str, asked: int) -> None:
    with serving(lambda visit: visit.send(unauthorized(challenge))) as server:
        source = HttpSource(server.url(user=USER), interrupt)
        with pytest.raises(SourceUnusable) as failure:
            source.open()
    assert failure.value.code == "unauthorized"
    assert "ret" not in failure.value.message
    assert len(server.requests) == asked
    assert any(b"Basic" in request for request in server.requests) == ("Basic" in challenge)


def test_another_server_is_named_in_the_remedy_and_gets_nothing(interrupt: Interrupt) -> None:
    with serving(lambda visit: visit.send(unauthorized("Basic realm=x"))) as other:
        answer = f"HTTP/1.0 302 Found\r\nLocation: {other.url('/x')}\r\n\r\n".encode()
        with (
            serving(lambda visit: visit.send(answer)) as server,
            pytest.raises(SourceUnusable) as failure,
        ):
            HttpSource(server.url(user=USER), interrupt).open()
    assert str(other.port) in failure.value.remedy
    assert not any(b"Authorization" in request for request in other.requests)
