"""Floods a daemon's sockets as a user who may connect to them, for some seconds.

`python -m tests.system.hostile_member USER GROUP SECONDS ATTACK RUNTIME`; a thread for each socket.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from framebus.control.protocol import Request
from framebus.zmtp.wire import GREETING, command, message

from tests.fakes.zmtp_peer import COMMAND, MORE, connect, greet, header, subscription

SOCKETS = {
    "camera.frames": b"SUB",
    "camera.events": b"SUB",
    "camera.queries": b"DEALER",
    "camera.control": b"DEALER",
}
STATUS = b'{"jsonrpc": "2.0", "id": 1, "method": "status"}'
_HELD_MAX = 3000
_reached: set[Path] = set()  # sockets that were got through to: else an attack proves nothing

Pieces = Callable[[], Iterator[bytes]]


def subscriptions() -> Iterator[bytes]:
    """Each another one, as long as one may be."""
    for number in itertools.count():
        yield subscription(b"%0400d" % number)


def old_subscriptions() -> Iterator[bytes]:
    """As ZMTP 3.0 has them, of 40 kB each."""
    while True:
        yield message(b"\x01" + os.urandom(40_000))


def one_subscription_again_and_again() -> Iterator[bytes]:
    while True:
        yield (subscription(b"") + command(b"CANCEL")) * 100


def announced() -> Iterator[bytes]:
    """A message of 16 GB that never ends."""
    yield header(0, 16 << 30)
    while True:
        yield bytes(60_000)


def announced_command() -> Iterator[bytes]:
    yield header(COMMAND, 16 << 30)
    while True:
        yield bytes(60_000)


def endless_parts() -> Iterator[bytes]:
    while True:
        yield header(MORE, 60_000) + bytes(60_000)


def endless_empty_parts() -> Iterator[bytes]:
    while True:
        yield bytes((MORE, 0)) * 10_000


def pings() -> Iterator[bytes]:
    while True:
        yield command(b"PING", b"\0\0" + b"x" * 16) * 100


def requests() -> Iterator[bytes]:
    """Answers to which are never read."""
    while True:
        yield message(STATUS) * 50


def leases() -> Iterator[bytes]:
    """Of demand, each with a name of its own."""
    for number in itertools.count():
        params = {"seconds": 60, "lease": f"{number}"}
        yield message(Request(1, "wake", params).encode())


def garbage() -> Iterator[bytes]:
    while True:
        yield message(b"\x00" * 200, b"a", b"b", b"c", b"d", b"e")


def metadata() -> Iterator[bytes]:
    yield command(b"READY", (b"\x01X" + struct.pack(">I", 1 << 31) + b"x") * 40)


def send_for_ever(pieces: Pieces, path: Path, kind: bytes, until: float) -> None:
    """Send, and begin again when hung up on."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError, AssertionError, ValueError), connect(path) as raw:
            greet(raw, kind)
            _reached.add(path)
            for piece in pieces():
                raw.sendall(piece)
                if time.monotonic() > until:
                    return


def half_greetings(path: Path, kind: bytes, until: float) -> None:
    _hold(path, until, lambda raw: raw.sendall(GREETING[:20]))


def silent_connections(path: Path, kind: bytes, until: float) -> None:
    _hold(path, until, lambda raw: None)


def deaf_peers(path: Path, kind: bytes, until: float) -> None:
    """Ask for all there is, and read nothing of it."""

    def ask(raw: socket.socket) -> None:
        greet(raw, kind)
        raw.sendall(subscription(b"") if kind == b"SUB" else message(STATUS) * 20)

    _hold(path, until, ask)


def coming_and_going(path: Path, kind: bytes, until: float) -> None:
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            connect(path).close()
            _reached.add(path)


def _hold(path: Path, until: float, begin: Callable[[socket.socket], None]) -> None:
    held = []
    while time.monotonic() < until:
        with contextlib.suppress(OSError, AssertionError, ValueError):
            raw = connect(path)
            held.append(raw)
            begin(raw)
            _reached.add(path)
        if len(held) > _HELD_MAX:
            held.pop(0).close()
    for raw in held:
        raw.close()


STREAMS = (
    subscriptions,
    old_subscriptions,
    one_subscription_again_and_again,
    announced,
    announced_command,
    endless_parts,
    endless_empty_parts,
    pings,
    requests,
    leases,
    garbage,
    metadata,
)
HOLDS = (half_greetings, silent_connections, deaf_peers, coming_and_going)
ATTACKS = tuple(each.__name__ for each in (*STREAMS, *HOLDS))


def main(user: int, group: int, seconds: float, attack: str, runtime: Path) -> None:
    os.setgroups([group])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    until = time.monotonic() + seconds
    threads = []
    for name, kind in SOCKETS.items():
        path = runtime / name
        streams = {each.__name__: each for each in STREAMS}
        if attack in streams:
            arguments = (streams[attack], path, kind, until)
            threads.append(threading.Thread(target=send_for_ever, args=arguments))
        else:
            hold = {each.__name__: each for each in HOLDS}[attack]
            threads.append(threading.Thread(target=hold, args=(path, kind, until)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(_reached) < len(SOCKETS):
        sys.exit(f"got through to {sorted(map(str, _reached))} only")


if __name__ == "__main__":
    who, which, how_long, what, where = sys.argv[1:]
    main(int(who), int(which), float(how_long), what, Path(where))
