"""Certificates that nobody vouches for: pinned, accepted as they are, or named."""

from __future__ import annotations

import pytest

from capture_daemon.sources.base import Interrupt, SourceUnusable
from capture_daemon.sources.http.source import HttpSource
from tests.contract.source_contract import take
from tests.fakes.mjpeg_server import MULTIPART, Server, Visit, part, serving
from tests.samples import pictures

FRAME = pictures.jpeg()


def stream(visit: Visit) -> None:
    visit.send(MULTIPART, part(FRAME))
    visit.linger()


def plays(server: Server, interrupt: Interrupt, query: str) -> bool:
    source = HttpSource(server.url(f"/stream{query}"), interrupt)
    source.open()
    shown = take(source, 1)[0].data == FRAME
    source.close()
    return shown


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("?tls=insecure", b"GET /stream HTTP"),
        ("?a=1&tls=insecure&b=2", b"GET /stream?a=1&b=2 HTTP"),
        ("?tls=sha256:{}", b"GET /stream HTTP"),
        ("?tls=sha256:{}&a=%20", b"GET /stream?a=%20 HTTP"),
    ],
)
def test_the_key_is_ours_and_is_not_sent(interrupt: Interrupt, query: str, asked: bytes) -> None:
    with serving(stream, tls=True) as server:
        assert plays(server, interrupt, query.format(server.fingerprint()))
    assert server.requests[0].startswith(asked)


def test_the_remedy_works_as_typed(interrupt: Interrupt) -> None:
    with serving(stream, tls=True) as server:
        with pytest.raises(SourceUnusable) as failure:
            HttpSource(server.url("/stream?a=1"), interrupt).open()
        remedy = failure.value.remedy
        words = [word for word in remedy.replace(";", " ").split() if "tls=" in word]
        assert [word.partition("=")[2].partition(":")[0] for word in words] == [
            "sha256",
            "insecure",
        ]
        for word in words:
            assert plays(server, interrupt, f"?a=1{word}")


def test_another_certificate_than_the_pinned_one_is_named_before_anything_is_sent(
    interrupt: Interrupt,
) -> None:
    with serving(stream, tls=True) as server:
        with pytest.raises(SourceUnusable) as failure:
            HttpSource(server.url("/?tls=sha256:" + "ab" * 32, user="a:b"), interrupt).open()
        assert failure.value.code == "bad-certificate"
        assert server.fingerprint() in failure.value.remedy
    assert server.requests == []


@pytest.mark.parametrize("pin", ["", "12", "xy" * 32, "ab" * 31, "ab" * 33])
def test_a_pin_that_is_none_is_said_so(interrupt: Interrupt, pin: str) -> None:
    with pytest.raises(SourceUnusable) as failure:
        HttpSource(f"https://cam/?tls=sha256:{pin}", interrupt).open()
    assert failure.value.code == "bad-url"


def test_a_certificate_for_another_name_is_not_told_to_be_vouched_for(
    interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(stream, tls=True) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        url = server.url().replace("127.0.0.1", "localhost")
        with pytest.raises(SourceUnusable) as failure:
            HttpSource(url, interrupt).open()
    assert "SSL_CERT_FILE" not in failure.value.remedy
    assert server.requests == []


def test_trust_goes_with_a_redirect_on_the_same_host_and_with_no_other(
    interrupt: Interrupt,
) -> None:
    with serving(stream, tls=True) as secure:

        def redirect(host: str) -> bytes:
            location = secure.url().replace("127.0.0.1", host)
            return f"HTTP/1.0 302 Found\r\nLocation: {location}\r\n\r\n".encode()

        with serving(lambda visit: visit.send(redirect("127.0.0.1"))) as server:
            assert plays(server, interrupt, "?tls=insecure")
        with (
            serving(lambda visit: visit.send(redirect("localhost"))) as server,
            pytest.raises(SourceUnusable),
        ):
            HttpSource(server.url("/?tls=insecure"), interrupt).open()
