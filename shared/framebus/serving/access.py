"""Who may look at cameras over HTTP and who may command them: what a person chose, checked.

`framebus up` and `framebus web` mean the same by the same options, and neither imports the other:
so this is the one place that knows the defaults, and where the secret is. A secret stays in memory:
none of this is for a log, an argument or the environment.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from framebus.errors import UsageError
from framebus.names import web_token
from framebus.options import flags
from framebus.options.file import pick
from framebus.options.flags import Command, variable
from framebus.secret_files import read_or_make_secret, read_secret
from framebus.serving import address, tls
from framebus.serving.address import Address

UNIX_PROXY = "unix"
"""The --trusted-proxy that means whoever may connect to a Unix socket."""
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?")
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


_HELP = {
    "view": ("open|token", "Who may look. [default: open on the loopback, else token]"),
    "control": ("token|off", "Who may command cameras over HTTP. [default: off]"),
    "password_file": ("FILE", "A file with a password of your own in place of the token."),
    "allow_host": ("NAME", "A host name that the web tier goes by; may be repeated."),
    "trusted_proxy": (
        "ADDRESS",
        "A proxy whose X-Forwarded-... headers are true: an address, a network, or unix; "
        "may be repeated.",
    ),
    "certfile": ("FILE.pem", "A certificate: serve HTTPS."),
    "keyfile": ("FILE.pem", "Its key."),
}
_REPEATED = frozenset({"allow_host", "trusted_proxy"})
OPTIONS = tuple(_HELP)
"""Names of the options, as in the configuration; flags have `-` for `_`."""


def options(command: Command) -> Command:
    """Give a click command these options."""
    return flags.add(command, _HELP, repeated=_REPEATED)


def from_environ(environ: Mapping[str, str], bind: str) -> Access:
    """Return what the environment says, for a server on `bind`; raises what `choose` does."""
    given = {name: environ.get(variable(name)) or None for name in OPTIONS}
    listed = {name: tuple((given[name] or "").split()) for name in _REPEATED}
    return choose({**given, **listed}, {}, address.parse(bind, any_port=True))


def to_environ(chosen: Mapping[str, object], values: Mapping[str, object]) -> dict[str, str]:
    """Return what `from_environ` understands, of flags and a file's values."""
    found = {name: chosen.get(name) or values.get(name) for name in OPTIONS}
    return {
        variable(name): value if isinstance(value, str) else " ".join(map(str, _listed(value)))
        for name, value in found.items()
        if value
    }


def credential(access: Access, state: Path) -> Credential:
    """Return the secret, which is made on first use. Raises NoPermission and UsageError."""
    file = web_token(state)
    token = read_or_make_secret(file)
    if access.password_file is None:
        return Credential(file, token, token)
    try:
        password = read_secret(access.password_file, group_may_read=True)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {access.password_file}: write the password into it, in one line"
        ) from None
    return Credential(access.password_file, password, token)


def choose(options: Mapping[str, object], values: Mapping[str, object], listen: Address) -> Access:
    """Return what flags (None: not given) and a file's values say.

    Raises UsageError, and NoPermission for a certificate that may not be read.
    """

    def text(key: str) -> str | None:
        value = pick(options.get(key), values.get(key), None)
        return None if value is None else str(value)

    def texts(key: str) -> list[str]:
        value = options.get(key) or values.get(key) or ()
        return [value] if isinstance(value, str) else [str(each) for each in _listed(value)]

    def path(key: str) -> Path | None:
        value = text(key)
        return Path(value) if value else None

    view = _word("view", text("view") or ("open" if loopback(listen) else "token"), "open", "token")
    control = _word("control", text("control") or "off", "token", "off")
    certfile, keyfile = path("certfile"), path("keyfile")
    if (certfile is None) != (keyfile is None):
        raise UsageError("TLS takes both --certfile and --keyfile")
    if certfile is not None and keyfile is not None:
        tls.check_pair(certfile, keyfile)
    return Access(
        view=view,
        control=control,
        password_file=path("password_file"),
        hosts=own_names(listen) | frozenset(map(_host, texts("allow_host"))),
        proxies=tuple(map(_proxy, texts("trusted_proxy"))),
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


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _word(key: str, value: str, *allowed: str) -> str:
    if value not in allowed:
        raise UsageError(f"--{key} {value!r}: use {' or '.join(allowed)}")
    return value


def _host(text: str) -> str:
    name = text.strip().lower().removesuffix(".")
    if not _HOST.fullmatch(name):
        raise UsageError(f"--allow-host {text!r}: give a host name alone, as in cam.example.org")
    return name


def _proxy(text: str) -> str:
    if text == UNIX_PROXY:
        return text
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise UsageError(
            f"--trusted-proxy {text!r}: give an address or network, as in 127.0.0.1 or "
            f"10.0.0.0/8, or {UNIX_PROXY!r} for --bind unix:PATH"
        ) from None
