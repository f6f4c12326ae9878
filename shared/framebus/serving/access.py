"""Who may look at cameras over HTTP and who may command them, and where the secret is.

A secret stays in memory: none of this is for a log, an argument or the environment.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path

from framebus.errors import UsageError
from framebus.names import web_token
from framebus.options.chosen import Chosen
from framebus.options.table import (
    ALLOW_HOST,
    CERTFILE,
    CONTROL,
    KEYFILE,
    PASSWORD_FILE,
    TRUSTED_PROXY,
    VIEW,
)
from framebus.secret_files import read_or_make_secret, read_secret
from framebus.serving import tls
from framebus.serving.address import Address

_LOOPBACK = frozenset({"localhost"})


@dataclass(frozen=True, slots=True)
class Access:
    """The options that are about access; never changed."""

    view: str
    """`open` or `token`: what whoever looks must show."""
    control: str
    """`off` or `token`: what whoever commands must show."""
    password_file: Path | None = None
    """Its password takes the token's place; None: the token it is."""
    hosts: frozenset[str] = frozenset()
    """Host names that requests may be made to, besides addresses and the loopback's."""
    proxies: tuple[str, ...] = ()
    """Addresses, networks or `unix`, whose X-Forwarded-... headers are believed."""
    certfile: Path | None = None
    keyfile: Path | None = None

    @property
    def asks(self) -> bool:
        """Whether anybody is asked for anything."""
        return "token" in (self.view, self.control)

    @property
    def scheme(self) -> str:
        """What URLs begin with."""
        return "http" if self.certfile is None else "https"


@dataclass(frozen=True, slots=True)
class Credential:
    """What is to be shown, and what cookies and links are signed with."""

    file: Path
    """Where a person finds the secret."""
    secret: str = field(repr=False)
    token: str = field(repr=False)
    """Random and kept, whatever the secret is."""


def credential(access: Access, state: Path) -> Credential:
    """Return the secret, which is made on first use. Raises NoPermission and UsageError."""
    file = web_token(state)
    token = read_or_make_secret(file)
    if access.password_file is None:
        return Credential(file, token, token)
    return Credential(access.password_file, password(access.password_file), token)


def password(file: Path) -> str:
    """Return the password in a file of a person's own. Raises NoPermission and UsageError."""
    try:
        return read_secret(file, group_may_read=True)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {file}: write the password into it, in one line"
        ) from None


def choose(chosen: Chosen, listen: Address) -> Access:
    """Return who is let in, for a server that listens there.

    Raises UsageError, and NoPermission for a certificate that may not be read.
    """
    certfile, keyfile = chosen[CERTFILE], chosen[KEYFILE]
    if (certfile is None) != (keyfile is None):
        raise UsageError(f"TLS takes both {CERTFILE.flag} and {KEYFILE.flag}")
    if certfile is not None and keyfile is not None:
        tls.check_pair(certfile, keyfile)
    return Access(
        view=chosen[VIEW] or ("open" if loopback(listen) else "token"),
        control=chosen[CONTROL],
        password_file=chosen[PASSWORD_FILE],
        hosts=own_names(listen) | frozenset(chosen[ALLOW_HOST]),
        proxies=chosen[TRUSTED_PROXY],
        certfile=certfile,
        keyfile=keyfile,
    )


def loopback(listen: Address) -> bool:
    """Whether only this machine can connect: the loopback, or a file that has permissions."""
    if listen.family == socket.AF_UNIX or listen.host.lower() in _LOOPBACK:
        return True
    address = as_address(listen.host)
    return address is not None and address.is_loopback


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a text is, None if it is none."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def own_names(listen: Address) -> frozenset[str]:
    """Return the names that a server there goes by without being told."""
    if listen.family == socket.AF_UNIX:
        return _LOOPBACK
    if loopback(listen):
        return _LOOPBACK | {listen.host.lower()}
    name = socket.gethostname().lower()
    named = {name, f"{name.partition('.')[0]}.local"} if name else set()
    # Bound to no host (`:8080`) it has no name by that: an empty one is what is no name at all.
    return _LOOPBACK | named | ({listen.host.lower()} if listen.host else set())
