from __future__ import annotations

import socket
from pathlib import Path

import pytest
from framebus.errors import UsageError
from framebus.options.chosen import Chosen
from framebus.serving.address import AddressUnusable, PortBusy, listening, parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("0.0.0.0:80", "http://localhost:80/"),
        (":9000", "http://localhost:9000/"),
        ("[::]:8080", "http://localhost:8080/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("camera.example:8080", "http://camera.example:8080/"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
    ],
)
def test_url_is_what_this_machine_can_open(text: str, url: str) -> None:
    assert parse(text).url() == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        "host",
        "host:",
        "host:x",
        "host:0",
        "host:65536",
        "::1:80",
        "unix:",
        "a..b:80",
        "é..b:80",
    ],
)
def test_text_that_is_no_address_is_a_usage_error_naming_bind(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--bind: .*(PORT|path|brackets|host)"):
        listening(Chosen({"bind": text}))


def test_only_wildcards_are_everywhere() -> None:
    everywhere = [
        text
        for text in ("0.0.0.0:1", ":1", "[::]:1", "127.0.0.1:1", "unix:/x")
        if parse(text).everywhere
    ]
    assert everywhere == ["0.0.0.0:1", ":1", "[::]:1"]


def test_busy_port_is_an_error_that_names_bind_and_free_one_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listen = parse(f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(PortBusy, match="--bind"):
            listen.check_free()
    listen.check_free()


def test_address_of_another_machine_is_an_error_that_names_bind() -> None:
    with pytest.raises(AddressUnusable, match="--bind"):
        parse("192.0.2.1:8080").check_free()


def test_leftover_socket_file_is_free_and_a_served_one_is_busy(runtime: Path) -> None:
    path = runtime / "web.sock"
    listen = parse(f"unix:{path}")
    listen.check_free()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        with pytest.raises(PortBusy):
            listen.check_free()
    listen.check_free()
    path.unlink()
    path.write_text("no socket")
    with pytest.raises(UsageError, match="no socket"):
        listen.check_free()


def test_a_socket_that_could_not_be_made_is_an_error_that_says_where_it_can(runtime: Path) -> None:
    for path in (runtime / "none" / "web.sock", runtime / ("x" * 120)):
        with pytest.raises(AddressUnusable, match="in a directory that there is"):
            parse(f"unix:{path}").check_free()
    parse(f"unix:{runtime / 'web.sock'}").check_free()
    assert list(runtime.iterdir()) == []


def test_only_an_http_answer_counts_as_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listen = parse(f"127.0.0.1:{server.getsockname()[1]}")
        assert not listen.answers(), "connected, but nothing was said"
    assert not listen.answers(), "nobody listens"
