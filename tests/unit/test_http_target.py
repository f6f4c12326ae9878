from __future__ import annotations

import pytest

from capture_daemon.sources.base import SourceError
from capture_daemon.sources.http.frames import capture_time_ns
from capture_daemon.sources.http.target import Target

NOW_NS, UTC_NS = 50_000_000_000, 1_700_000_000_000_000_000


def test_a_url_becomes_a_request() -> None:
    target = Target.parse("http://cam:8080/a b".replace(" ", "%20") + "?action=stream&x=ü")
    assert (target.host, target.port, target.tls) == ("cam", 8080, False)
    lines = target.request().split(b"\r\n")
    assert lines[0] == b"GET /a%20b?action=stream&x=%C3%BC HTTP/1.1"
    assert b"Host: cam:8080" in lines
    assert lines[-2:] == [b"", b""]


@pytest.mark.parametrize(
    ("url", "port"), [("http://cam", 80), ("https://cam", 443), ("https://cam:1", 1)]
)
def test_the_port_follows_the_scheme(url: str, port: int) -> None:
    assert Target.parse(url).port == port


def test_name_and_password_are_kept_from_the_request_and_not_shown() -> None:
    target = Target.parse("http://Aladdin:open%20sesame@cam/")
    assert target.credentials is not None
    assert target.credentials.basic() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert b"@" not in target.request()
    assert b"Authorization" not in target.request({"Authorization": ""})
    assert "sesame" not in target.shown + repr(target)


@pytest.mark.parametrize(
    ("location", "url", "authorized"),
    [
        ("/other", "http://u:p@cam:81/", True),
        ("http://cam:81/other", "http://u:p@cam:81/", True),
        ("http://cam:82/other", "http://u:p@cam:81/", False),
        ("https://cam:81/other", "http://u:p@cam:81/", False),
        ("//elsewhere/other", "http://u:p@cam:81/", False),
    ],
)
def test_a_redirect_takes_the_password_to_no_other_server(
    location: str, url: str, authorized: bool
) -> None:
    there = Target.parse(url).redirected(location)
    assert there.path == "/other"
    assert bool(there.credentials) == authorized


@pytest.mark.parametrize(
    "location",
    [
        *("ftp://x/", "file:///etc/passwd", "http://a..b/", "http://x/\r\nA: b"),
        *("http://[x", "//[::1", "http://\u2100/"),
    ],
)
def test_a_redirect_to_what_is_no_http_url_is_refused(location: str) -> None:
    with pytest.raises(SourceError) as failure:
        Target.parse("http://cam/").redirected(location)
    assert location not in failure.value.message


def test_a_recent_timestamp_is_when_it_was_captured() -> None:
    headers = {"x-timestamp": f"{UTC_NS / 1e9 - 0.25:.6f}"}
    assert abs(capture_time_ns(headers, NOW_NS, UTC_NS) - (NOW_NS - 250_000_000)) < 10_000


@pytest.mark.parametrize(
    "stamp", ["", "x", "nan", "inf", "-inf", "1e999", "12345.6", "1700000000.5", "1699999990"]
)
def test_any_other_timestamp_is_not_believed(stamp: str) -> None:
    assert capture_time_ns({"x-timestamp": stamp}, NOW_NS, UTC_NS) == NOW_NS
    assert capture_time_ns({}, NOW_NS, UTC_NS) == NOW_NS
