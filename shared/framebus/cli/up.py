"""`framebus up`: the capture daemon and the web tier, in the foreground, kept running.

It knows the two sides by their module names only and imports neither: each is a child process that
gets the options that are its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from framebus import installation, logs, printable
from framebus.cli import banner, limits, qr, sending, serving, soundness
from framebus.cli.child import Part
from framebus.cli.supervisor import Supervisor
from framebus.errors import FramebusError, UsageError
from framebus.names import DEFAULT_CAMERA, check_camera_name, runtime_dir, state_dir
from framebus.options import file as config
from framebus.options import flags
from framebus.options.file import Config, pick
from framebus.serving import access, address

DEFAULT_BIND = "127.0.0.1:8080"
_CAPTURE_OPTIONS = ("name", "size", "fps", "ring_size", "config")
_SOURCES = ("source", "fallback_source")
"""Options that may carry passwords: given to the daemon alone, in its environment, since arguments
are for all users to read."""
_WEB_OPTIONS = (
    *("bind", "workers", "config"),
    *(*limits.OPTIONS, *sending.OPTIONS, *access.OPTIONS),
)
_PROBE_EVERY_S = 0.1

_HELP = f"""Run the capture daemon and the web tier; Ctrl-C ends both.

Whichever of them dies is started again. Prints what to open and to type once the page answers.

\b
  framebus up
  framebus up --source test --size 1280x720 --fps 30
  framebus up --source v4l2:/dev/v4l/by-id/usb-Vendor_Webcam-video-index0
  framebus up --source http://192.168.1.20:8080/stream --name garden
  framebus up --bind 0.0.0.0:8080          for other machines too ({DEFAULT_BIND} otherwise)

Beyond this machine a token is asked for. It is made once, and is in the URL that is printed; in a
terminal a QR code of it is for a phone to read.

\b
Exit codes: 0 ended by a signal, 64 wrong usage, 69 no such address, or something is not installed,
75 the port, the camera or its name is held by another program, 77 no permission.
"""


@click.command(help=_HELP)
@click.option(
    "--source",
    envvar="FRAMEBUS_SOURCE",
    show_envvar=True,
    metavar="SOURCE",
    help="auto, v4l2:DEVICE, ffmpeg:ARGS, http://URL, file:PATH or test.",
)
@click.option(
    "--fallback-source",
    envvar="FRAMEBUS_FALLBACK_SOURCE",
    show_envvar=True,
    metavar="SOURCE",
    help="What viewers see while the source is given up, until it is back: any SOURCE but auto.",
)
@click.option(
    "--size",
    envvar="FRAMEBUS_SIZE",
    show_envvar=True,
    metavar="WIDTHxHEIGHT",
    help="Frame size in pixels; the camera may grant another.",
)
@click.option(
    "--fps",
    envvar="FRAMEBUS_FPS",
    show_envvar=True,
    metavar="RATE",
    help="Frames a second; the camera may grant another.",
)
@click.option(
    "--name",
    envvar="FRAMEBUS_NAME",
    show_envvar=True,
    metavar="NAME",
    help=f"The camera's name. [default: {DEFAULT_CAMERA}]",
)
@click.option(
    "--bind",
    envvar="FRAMEBUS_BIND",
    show_envvar=True,
    metavar="HOST:PORT",
    help=f"Where the web tier listens; also unix:PATH. [default: {DEFAULT_BIND}]",
)
@click.option(
    "--workers",
    envvar="FRAMEBUS_WORKERS",
    show_envvar=True,
    metavar="COUNT",
    help="Worker processes of the web tier.",
)
@click.option(
    "--ring-size",
    envvar="FRAMEBUS_RING_SIZE",
    show_envvar=True,
    metavar="SIZE",
    help="Shared memory for frames: bytes, or with K, M, G. [default: 32M, or what room there is]",
)
@click.option(
    "--config",
    envvar="FRAMEBUS_CONFIG",
    show_envvar=True,
    metavar="FILE.toml",
    help="Options from a file; flags and environment variables win.",
)
@limits.options
@sending.options
@access.options
def up(**options: Any) -> int:
    """Start both sides and keep them running until a signal; `_HELP` is what a person reads."""
    file = config.load(Path(options["config"]) if options["config"] else None)
    listen = address.parse(str(pick(options["bind"], file.common.get("bind"), DEFAULT_BIND)))
    cameras = _cameras(options, file)
    chosen = access.choose(options, file.common, listen)
    serving.check(options, file.common)  # no camera is opened for a web tier that will not start
    installation.need(*installation.FOR_THE_WEB)
    captures = [
        Part(
            "capture" if len(cameras) == 1 else f"capture of {camera}",
            _command("capture_daemon", _CAPTURE_OPTIONS, {**options, "name": camera}),
            environ={flags.variable(name): options[name] for name in _SOURCES},
            keeps=True,
            # Without room for its ring one camera waits; the others need not.
            retried=frozenset() if len(cameras) == 1 else frozenset({os.EX_CANTCREAT}),
        )
        for camera in cameras
    ]
    web = Part(
        "web",
        _command("web_workers", _WEB_OPTIONS, {**options, "bind": listen.text}),
        environ=dict.fromkeys(flags.variable(name) for name in _SOURCES),
    )
    parts, environ = [*captures, web], _environ(cameras)
    try:
        credential = access.credential(chosen, state_dir()) if chosen.asks else None
        listen.check_free()
    except FramebusError:
        if soundness.refused(parts, environ, _complain):
            return os.EX_USAGE
        raise
    supervisor = Supervisor(
        parts,
        environ=environ,
        say=_say,
        watch=_Greeting(
            banner.Served(listen, cameras, chosen, credential, banner.hosts(listen, chosen))
        ),
    )
    return supervisor.run()


def _cameras(options: Mapping[str, Any], file: Config) -> tuple[str, ...]:
    """Return the cameras to capture: the one named, else all of the file, else the default."""
    if options["name"] is not None:
        return (check_camera_name(options["name"]),)
    cameras = file.cameras or (DEFAULT_CAMERA,)
    if options["source"] and len(cameras) > 1:
        raise UsageError(
            f"--source is for one camera, and the configuration has {', '.join(cameras)}: "
            "say which with --name"
        )
    return cameras


def _environ(cameras: tuple[str, ...]) -> dict[str, str]:
    """Return the children's environment: all must mean the same directory and cameras."""
    return {
        **os.environ,
        "FRAMEBUS_RUNTIME_DIR": str(runtime_dir()),
        "FRAMEBUS_NAME": cameras[0],
        "FRAMEBUS_CAMERAS": " ".join(cameras),
    }


def _command(
    module: str, names: tuple[str, ...], options: Mapping[str, str | Sequence[str] | None]
) -> tuple[str, ...]:
    """Return the command of one child, with those of its options that were given."""
    # -P: a json.py in the directory where somebody types this is not to be imported.
    command = [sys.executable, "-P", "-m", "framebus.cli.launch", str(os.getpid()), module]
    for name in names:
        value = options[name]
        for each in (value,) if isinstance(value, str) else value or ():
            command += [f"--{name.replace('_', '-')}", each]
    return tuple(command)


def _say(line: str) -> None:
    timed = not logs.to_journal(2)
    _echo(logs.line("INFO", "up", line, now_s=time.time(), timed=timed), to_stderr=True)


def _complain(text: str) -> None:
    _echo(text, to_stderr=True)


def _echo(text: str, *, to_stderr: bool = False) -> None:
    """Print; a terminal or pipe that has gone is no reason to end what was started."""
    with contextlib.suppress(OSError):
        click.echo(printable.lines(text), err=to_stderr)


class _Greeting:
    """Says where the page is as soon as it answers, once."""

    def __init__(self, served: banner.Served) -> None:
        self._served = served

    def __call__(self) -> float | None:
        """Look once; return after how many seconds to look again, None when done."""
        if not self._served.listen.answers(tls=self._served.access.scheme == "https"):
            return _PROBE_EVERY_S
        secret = banner.person_reads()
        _echo(banner.banner(self._served, secret=secret))
        code = qr.for_terminal(banner.phone_url(self._served, secret=secret))
        if code:
            with contextlib.suppress(OSError):
                click.echo(code)  # with its colours, which no text gets that is not ours
        return None
