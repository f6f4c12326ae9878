"""What the options about access mean."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from framebus.errors import UsageError
from framebus.options.chosen import Chosen
from framebus.options.file import File
from framebus.options.option import Scope
from framebus.serving import access, address

from web_workers.access.peer import answers_to
from web_workers.settings import Settings


def chosen(
    bind: str = "127.0.0.1:8080", file: dict[str, object] | None = None, **given: object
) -> access.Access:
    return access.choose(Chosen(given, File(file or {})), address.parse(bind))


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "localhost:80", "unix:/run/x"]
)
def test_on_the_loopback_everybody_may_look_and_nobody_command(bind: str) -> None:
    found = chosen(bind)
    assert (found.view, found.control, found.asks) == ("open", "off", False)


@pytest.mark.parametrize("bind", ["0.0.0.0:80", ":80", "[::]:80", "192.0.2.1:80", "cam.example:80"])
def test_beyond_the_loopback_a_token_is_asked_for_unless_somebody_says_open(bind: str) -> None:
    assert chosen(bind).view == "token"
    assert chosen(bind, view="open").view == "open"
    assert chosen(bind, {"view": "open"}).view == "open"
    assert chosen(bind, {"view": "open"}, view="token").view == "token"


def test_names_are_the_servers_own_and_those_that_were_allowed() -> None:
    assert chosen().hosts == {"localhost", "127.0.0.1"}
    name = socket.gethostname().lower()
    everywhere = chosen(":80", allow_host=("Cam.Example.org.",)).hosts
    assert everywhere >= {"localhost", name, "cam.example.org"}
    assert chosen("cam.example:80").hosts >= {"localhost", "cam.example", name}
    assert not answers_to("", everywhere)  # so of a request: its Host is no name


def test_a_list_of_the_file_counts_where_no_flag_is_given() -> None:
    file: dict[str, object] = {"allow_host": ["a.example"], "trusted_proxy": ["10.0.0.1", "unix"]}
    assert "a.example" in chosen(file=file).hosts
    assert chosen(file=file).proxies == ("10.0.0.1/32", "unix")
    assert "a.example" not in chosen(file=file, allow_host=("b.example",)).hosts


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"view": "everybody"}, "--view: 'everybody' means nothing here: use open or token"),
        ({"control": "open"}, "--control: 'open' means nothing here: use token or off"),
        ({"allow_host": ("http://x/",)}, "--allow-host"),
        ({"allow_host": ("x:80",)}, "--allow-host"),
        ({"trusted_proxy": ("proxy",)}, "--trusted-proxy"),
        ({"certfile": "/nosuch.pem"}, "both --certfile and --keyfile"),
        ({"certfile": "/nosuch.pem", "keyfile": "/nosuch"}, "there is no file"),
    ],
)
def test_what_means_nothing_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        access.choose(Chosen(given), address.parse("127.0.0.1:8080"))


def test_the_environment_carries_what_was_chosen() -> None:
    given: dict[str, object] = {"view": "token", "allow_host": ("a.example", "b.example")}
    values: dict[str, object] = {"control": "token", "trusted_proxy": ["10.0.0.0/8"]}
    options, listen = Chosen(given, File(values)), address.parse("127.0.0.1:8080")
    environ = options.to_environ(Scope.WEB)
    assert environ["FRAMEBUS_ALLOW_HOST"] == "a.example b.example"
    again = Chosen.from_environ(environ)
    assert access.choose(again, listen) == access.choose(options, listen)


def test_a_server_that_is_started_by_hand_beyond_the_loopback_asks_too() -> None:
    assert Settings.from_environ({"FRAMEBUS_BIND": "0.0.0.0:8080"}).access.view == "token"


def test_a_credential_does_not_show_its_secret(tmp_path: Path) -> None:
    found = access.credential(chosen(view="token"), tmp_path)
    assert found.secret == (tmp_path / "web.token").read_text().strip()
    assert found.secret not in repr(found)


def test_a_password_takes_the_tokens_place(tmp_path: Path) -> None:
    password = tmp_path / "password"
    with pytest.raises(UsageError, match="there is no file"):
        access.credential(chosen(view="token", password_file=str(password)), tmp_path)
    password.write_text("correct horse\n")
    password.chmod(0o640)
    found = access.credential(chosen(view="token", password_file=str(password)), tmp_path)
    assert found.secret == "correct horse"
    assert found.token != found.secret
