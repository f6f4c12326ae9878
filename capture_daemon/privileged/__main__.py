"""`python -m capture_daemon.privileged`: see server.py. deploy/systemd has its units.

The listening socket comes from systemd (LISTEN_FDS), or is made with --socket. No option widens
what may be asked but --power-port, which a person must give for each port.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from framebus import logs
from framebus.unix_sockets import bind

from capture_daemon.devices.sysfs import BadPort, SystemPaths, UsbPort
from capture_daemon.privileged.server import IDLE_S, Helper, serve
from capture_daemon.recovery.actions import PortActions
from capture_daemon.systemd import passed_descriptors


def main() -> int:
    """Serve until nobody has asked for a while."""
    options = _options().parse_args()
    logs.to_stderr("privileged", "info")
    paths = SystemPaths(options.sys, options.dev)
    helper = Helper(actions=PortActions(), paths=paths, power_ports=frozenset(options.power_port))
    with _listener(options.socket) as listener:
        serve(listener, helper, idle_s=IDLE_S)
    return 0


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m capture_daemon.privileged")
    options.add_argument("--socket", type=Path, help="listen here, where systemd gives no socket")
    options.add_argument(
        "--power-port",
        type=_port,
        action="append",
        default=[],
        metavar="PORT",
        help="a port whose power may be switched, as in 1-1.2; may be given again",
    )
    options.add_argument("--sys", type=Path, default=Path("/sys"), help=argparse.SUPPRESS)
    options.add_argument("--dev", type=Path, default=Path("/dev"), help=argparse.SUPPRESS)
    return options


def _port(text: str) -> str:
    try:
        return UsbPort(text).name
    except BadPort as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _listener(path: Path | None) -> socket.socket:
    if path is not None:
        return bind(path)
    match passed_descriptors(os.environ):
        case [(fd, _)]:
            return socket.socket(fileno=fd)
    raise SystemExit("no socket: let systemd start this, or give --socket")


if __name__ == "__main__":
    sys.exit(main())
