"""What `framebus up` tells a person once the page answers: where it is, and what to type next."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from framebus.cli import interfaces
from framebus.invocation import typed
from framebus.names import DEFAULT_CAMERA
from framebus.serving import access
from framebus.serving.access import Access, Credential
from framebus.serving.address import Address, page_url

_MOST_ADDRESSES = 4
_BINDV6ONLY = Path("/proc/sys/net/ipv6/bindv6only")


@dataclass(frozen=True, slots=True)
class Served:
    """What is served, where, and to whom."""

    listen: Address
    cameras: Sequence[str]
    access: Access
    credential: Credential | None
    """None where nobody is asked for anything."""
    reached: Sequence[str] = ()
    """Hosts, as other machines can type them; none where only this machine can connect."""


def hosts(listen: Address, chosen: Access) -> list[str]:
    """Return the names and addresses by which other machines reach a server, the best one first."""
    if access.loopback(listen):
        return []
    if not listen.everywhere:
        return [listen.host]
    dual = listen.family == socket.AF_INET6 and not _ipv6_only()
    found = interfaces.own_addresses(
        ipv4=dual or listen.family == socket.AF_INET, ipv6=listen.family == socket.AF_INET6
    )
    name = socket.gethostname()
    if chosen.scheme == "https":  # certificates are of names
        return [*(sorted(chosen.hosts - access.own_names(listen)) or [name]), *found]
    return found or [name]


def person_reads() -> bool:
    """Whether standard output is for a person's eyes, and does not go to a journal.

    A terminal is, whatever variables a desktop's session has left in it. The journal's end is a
    socket.
    """
    if sys.stdout is None:
        return False
    if sys.stdout.isatty():
        return True
    try:
        kind = os.fstat(1).st_mode
    except OSError:
        return False
    return "JOURNAL_STREAM" not in os.environ and not stat.S_ISSOCK(kind)


def elsewhere(served: Served, *, secret: bool) -> list[str]:
    """Return what other machines can open, the best first; with `secret`, the token is in it."""
    shown, scheme, port = _shown(served, secret=secret), served.access.scheme, served.listen.port
    return [f"{page_url(scheme, host, port)}{shown}" for host in served.reached[:_MOST_ADDRESSES]]


def banner(served: Served, *, secret: bool) -> str:
    """Return the lines. With `secret` the token is in the addresses, for a person to open them."""
    listen = served.listen
    url, shown = listen.url(served.access.scheme), _shown(served, secret=secret)
    several = len(served.cameras) > 1
    what = f"{len(served.cameras)} cameras" if several else served.cameras[0]
    page = f"framebus serves {what} at {url}{shown}"
    if listen.family == socket.AF_UNIX:
        return "\n".join([page, *_aligned([*_secret(served), *_commands(served)])])
    beyond = elsewhere(served, secret=secret)
    rows = [("elsewhere" if number == 0 else "", each) for number, each in enumerate(beyond)]
    if not beyond:
        rows.append(("phones", f"can open it with --bind 0.0.0.0:{listen.port}, and a token"))
    rows += _secret(served)
    if several:
        rows += [(camera, f"{url}cameras/{camera}/stream") for camera in served.cameras]
    else:
        rows.append(("stream", f"{url}cameras/{served.cameras[0]}/stream"))
    rows.append(
        ("snapshot", f"{_curl(served)} -o now.jpg {url}cameras/{served.cameras[0]}/snapshot")
    )
    return "\n".join([page, *_aligned([*rows, *_commands(served)])])


def _commands(served: Served) -> list[tuple[str, str]]:
    """Return the commands as the next shell takes them."""
    camera = served.cameras[0]
    named = len(served.cameras) > 1 or camera != DEFAULT_CAMERA
    name = ("--name", camera) if named else ()

    def ctl(method: str) -> str:
        return typed.command("ctl", method, *name)

    return [
        ("state", ctl("status")),
        ("stop", ctl("stop")),
        ("", "likewise start, restart, configure fps=15, ..."),
        ("end", "Ctrl-C"),
    ]


def _secret(served: Served) -> list[tuple[str, str]]:
    if served.credential is None:
        return []
    what = "token" if served.access.password_file is None else "password"
    return [(what, f"in {served.credential.file}")]


def _curl(served: Served) -> str:
    if served.credential is None or served.access.view != "token":
        return "curl"
    # Through a pipe: arguments are for all to see.
    return f'printf \'user = ":%s"\' "$(cat {served.credential.file})" | curl -K -'


def _shown(served: Served, *, secret: bool) -> str:
    """Return the token as it stands in an address; a password of a person's own never does."""
    credential = served.credential
    if not secret or credential is None or served.access.password_file is not None:
        return ""
    return "" if served.listen.family == socket.AF_UNIX else f"?token={credential.secret}"


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(9, *(len(label) for label, _ in rows))
    return [f"  {label:<{width}}  {text}" for label, text in rows]


def _ipv6_only() -> bool:
    try:
        return _BINDV6ONLY.read_text().strip() == "1"
    except OSError:
        return False
