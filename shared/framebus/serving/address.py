"""The address that `framebus up` serves on: parsed, checked to be free, asked whether it answers.

Takes the forms of gunicorn's --bind that have no hidden default: HOST:PORT, [IPV6]:PORT, :PORT (all
interfaces) and unix:PATH. Knows nothing of gunicorn itself.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import dataclass

from framebus.errors import SHORTAGES, FramebusError, NoPermission, UsageError, refused
from framebus.options.chosen import Chosen
from framebus.options.table import BIND

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  compared only
_ANSWER_BY_S = 0.3  # how long `answers` may hold up its caller, at most


class PortBusy(FramebusError):
    """Another program listens on this address."""

    exit_code = os.EX_TEMPFAIL


class AddressUnusable(FramebusError):
    """This machine has no such address."""

    exit_code = os.EX_UNAVAILABLE


def page_url(scheme: str, host: str, port: int) -> str:
    """Return the URL of the page on a host."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the web tier listens."""

    text: str
    """As the person wrote it."""
    family: socket.AddressFamily
    host: str
    """A host name or address; the path for a Unix socket."""
    port: int

    def url(self, scheme: str = "http") -> str:
        """Return the page's URL as seen from this machine; for a Unix socket the path."""
        if self.family == socket.AF_UNIX:
            return f"unix:{self.host}"
        host = "localhost" if self.host in _EVERYWHERE else self.host
        return page_url(scheme, host, self.port)

    @property
    def everywhere(self) -> bool:
        """Whether other machines can reach it on every interface."""
        return self.family != socket.AF_UNIX and self.host in _EVERYWHERE

    def _connectable(self) -> str | tuple[str, int]:
        if self.family == socket.AF_UNIX:
            return self.host
        return (_EVERYWHERE.get(self.host, self.host), self.port)

    def check_free(self) -> None:
        """Raise a FramebusError if nothing could listen here now, PortBusy if something does."""
        try:
            if self.family == socket.AF_UNIX:
                self._check_path_free()
                return
            with socket.socket(self.family, socket.SOCK_STREAM) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((self.host, self.port))
                trial.listen(1)
        except OSError as error:
            raise self._translated(error) from error

    def _check_path_free(self) -> None:
        """A socket file that nobody listens on is a leftover, which gunicorn replaces."""
        try:
            if not stat.S_ISSOCK(os.stat(self.host).st_mode):
                raise UsageError(f"--bind {self.text}: that file is there and is no socket")
        except FileNotFoundError:
            self._check_directory()
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            if trial.connect_ex(self.host) == 0:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    def _check_directory(self) -> None:
        """Make a socket beside the path, and remove it: gunicorn would try in vain for ever."""
        beside = f"{self.host[:-1]}~"  # as long as the path, which may be too long
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            trial.bind(beside)
            os.unlink(beside)

    def _translated(self, error: OSError) -> FramebusError:
        if error.errno == errno.EADDRINUSE:
            return PortBusy(
                f"{self.text} is in use by another program: end that, or choose another address "
                f"with --bind, for example --bind 127.0.0.1:{self.port + 1 or 8080}"
            )
        if error.errno in SHORTAGES:
            return refused(error, f"cannot listen on {self.text}", "")
        path = self.family == socket.AF_UNIX
        if error.errno in (errno.EACCES, errno.EPERM):
            other = (
                "a path in a directory that you can write" if path else "a port of 1024 or above"
            )
            return NoPermission(
                f"no permission to listen on {self.text}: choose {other} with --bind"
            )
        other = (
            "a path of at most 107 bytes, in a directory that there is, with --bind"
            if path
            else "an address of this machine with --bind, for example --bind 127.0.0.1:8080"
        )
        return AddressUnusable(
            f"cannot listen on {self.text} ({error.strerror or error}): give {other}"
        )

    def answers(self, *, tls: bool = False) -> bool:
        """Whether an HTTP server answers a request here; takes 0.3 s a step at most."""
        request = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"
        try:
            with socket.socket(self.family, socket.SOCK_STREAM) as client:
                client.settimeout(_ANSWER_BY_S / 2)
                client.connect(self._connectable())
                with _encrypted(client) if tls else client as spoken:
                    spoken.sendall(request)
                    return spoken.recv(5) == b"HTTP/"
        except OSError:
            return False


def _encrypted(client: socket.socket) -> socket.socket:
    """Speak TLS on a connection to our own child, whose certificate proves nothing to us."""
    import ssl  # few need it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(client)


def listening(chosen: Chosen, *, any_port: bool = False) -> Address:
    """Return where the web tier is to listen; raises UsageError. `any_port` as in `parse`."""
    with chosen.naming(BIND):
        return parse(chosen[BIND], any_port=any_port)


def parse(text: str, *, any_port: bool = False) -> Address:
    """Return the address meant by a text; raises UsageError.

    `any_port` takes port 0 as well, in place of which the system chooses one.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path:
            raise UsageError(f"{text!r}: a path must follow unix:")
        return Address(text, socket.AF_UNIX, path, 0)
    host, colon, digits = text.rpartition(":")
    if not colon or not digits.isdecimal() or not 1 - any_port <= int(digits) <= 65535:
        raise UsageError(
            f"{text!r}: use HOST:PORT with a port from 1 to 65535, [IPV6]:PORT or unix:PATH"
        )
    if host.startswith("[") and host.endswith("]"):
        return Address(text, socket.AF_INET6, host[1:-1], int(digits))
    if ":" in host:
        raise UsageError(f"{text!r}: write an IPv6 address in brackets, [::1]:8080")
    try:
        host.encode("idna")  # what socket does with it, where a failure is a TypeError
    except UnicodeError as error:
        raise UsageError(f"{text!r}: no host can have that name") from error
    return Address(text, socket.AF_INET, host, int(digits))
