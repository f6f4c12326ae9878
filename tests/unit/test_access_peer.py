"""Whose headers are believed."""

from __future__ import annotations

import pytest

from web_workers.access.peer import Peer, Proxies, answers_to

NAMES = frozenset({"localhost", "cam.example.org"})
FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "cam.example.org:8443",
}


def peer(*declared: str, address: str = "10.0.0.1", **environ: str) -> Peer:
    base = {"REMOTE_ADDR": address, "wsgi.url_scheme": "http", "HTTP_HOST": "localhost:8080"}
    return Proxies(declared).peer({**base, **environ})


def test_headers_of_an_undeclared_proxy_are_ignored() -> None:
    assert peer(**FORWARDED) == Peer("10.0.0.1", "http", "localhost", 8080, "localhost")
    assert peer("10.0.0.2/32", "unix", **FORWARDED) == Peer(
        "10.0.0.1", "http", "localhost", 8080, "localhost"
    )


def test_a_declared_proxy_tells_address_scheme_and_name() -> None:
    found = peer("10.0.0.0/8", **FORWARDED)
    assert found == Peer("198.51.100.7", "https", "cam.example.org", 8443, "localhost")
    assert peer("10.0.0.0/8", address="::ffff:10.0.0.1", **FORWARDED).scheme == "https"
    assert peer("unix", address="", **FORWARDED).address == "198.51.100.7"


def test_what_a_client_has_put_left_of_the_proxys_word_is_ignored() -> None:
    chain = "127.0.0.1, 203.0.113.9, 10.0.0.5"
    assert peer("10.0.0.0/8", HTTP_X_FORWARDED_FOR=chain).address == "203.0.113.9"
    for nonsense in ("", "unknown", "203.0.113.9, nonsense"):
        assert peer("10.0.0.0/8", HTTP_X_FORWARDED_FOR=nonsense).address == "10.0.0.1"


@pytest.mark.parametrize("proto", ["ftp", "https, http", ""])
def test_a_scheme_that_is_none_is_ignored(proto: str) -> None:
    assert peer("10.0.0.1/32", HTTP_X_FORWARDED_PROTO=proto).scheme == "http"


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("localhost", True),
        ("LOCALHOST.:1", True),
        ("cam.example.org", True),
        ("192.0.2.1:8080", True),
        ("[2001:db8::1]:8080", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost@evil.example", False),
        ("localhost, evil.example", False),
        ("evil.example/localhost", False),
        ("[localhost", False),
        ("localhost:port", False),
    ],
)
def test_only_names_of_ours_and_addresses_are_answered(host: str, answered: bool) -> None:
    assert answers_to(peer(HTTP_HOST=host).host, NAMES) is answered


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://localhost:8080", True),
        ("https://localhost:8080", False),
        ("http://localhost:8081", False),
        ("http://localhost", False),
        ("http://evil.example:8080", False),
        ("http://localhost:8080@evil.example", False),
        ("http://localhost:999999", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_ours_if_scheme_name_and_port_are(origin: str, ours: bool) -> None:
    assert peer().is_origin(origin) is ours


def test_an_origin_without_a_port_has_its_schemes() -> None:
    assert Peer("", "https", "cam.example.org", 443).is_origin("https://cam.example.org")
    assert Peer("", "http", "::1", 80).is_origin("http://[::1]")


def test_a_name_that_ends_with_the_roots_dot_is_the_same_in_host_and_origin() -> None:
    found = peer(HTTP_HOST="cam.example.org.:8080")
    assert answers_to(found.host, NAMES)
    assert found.is_origin("http://cam.example.org.:8080")
