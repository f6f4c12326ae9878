"""`framebus up`: the capture daemon and the web tier, in the foreground, kept running.

It knows the two sides by their module names only and imports neither: each is a child process that
gets the options that are its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from framebus import installation, logs, printable
from framebus.cli import banner, qr, soundness
from framebus.cli.child import Part
from framebus.cli.supervisor import Supervisor
from framebus.errors import FramebusError, UsageError
from framebus.names import DEFAULT_CAMERA, runtime_dir, state_dir
from framebus.options import flags
from framebus.options.chosen import Chosen
from framebus.options.option import Scope
from framebus.options.table import CAMERAS, NAME, SOURCE, TABLE
from framebus.serving import access, address

_SECRETS = tuple(option for option in TABLE if option.secret)
"""Given to the daemon alone, in its environment, since arguments are for all users to read."""
_PROBE_EVERY_S = 0.1

_HELP = """Run the capture daemon and the web tier; Ctrl-C ends both.

Whichever of them dies is started again. Prints what to open and to type once the page answers.

\b
  framebus up
  framebus up --source test --size 1280x720 --fps 30
  framebus up --source v4l2:/dev/v4l/by-id/usb-Vendor_Webcam-video-index0
  framebus up --source http://192.168.1.20:8080/stream --name garden
  framebus up --bind 0.0.0.0:8080          for other machines too

Beyond this machine a token is asked for. It is made once, and is in the URL that is printed; in a
terminal a QR code of it is for a phone to read.

Exit codes: 0 ended by a signal, 64 wrong usage, 69 no such address, or something is not installed,
75 the port, the camera or its name is held by another program, 77 no permission.
"""


@click.command(cls=flags.Sections, help=_HELP)
@flags.of(*Scope)
def up(**options: Any) -> int:
    """Start both sides and keep them running until a signal; `_HELP` is what a person reads."""
    chosen = flags.chosen(options)
    listen = address.listening(chosen)
    cameras = _cameras(chosen)
    allowed = access.choose(chosen, listen)
    chosen.check(Scope.WEB)  # no camera is opened for a web tier that will not start
    for camera in cameras:
        chosen.of_camera(camera).check(Scope.CAPTURE)
    installation.need(*installation.FOR_THE_WEB)
    captures = [
        Part(
            "capture" if len(cameras) == 1 else f"capture of {camera}",
            _command("capture_daemon", Scope.CAPTURE, {**options, NAME.name: camera}),
            environ={each.variable: options[each.name] for each in _SECRETS},
            keeps=True,
            # Without room for its ring one camera waits; the others need not.
            retried=frozenset() if len(cameras) == 1 else frozenset({os.EX_CANTCREAT}),
        )
        for camera in cameras
    ]
    web = Part(
        "web",
        _command("web_workers", Scope.WEB, {**options, NAME.name: _default(chosen, cameras)}),
        environ=dict.fromkeys(each.variable for each in _SECRETS),
    )
    parts, environ = [*captures, web], _environ(cameras)
    try:
        credential = access.credential(allowed, state_dir()) if allowed.asks else None
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
            banner.Served(listen, cameras, allowed, credential, banner.hosts(listen, allowed))
        ),
    )
    return supervisor.run()


def _cameras(chosen: Chosen) -> tuple[str, ...]:
    """Return the cameras to capture: the one named, else all listed, else the default."""
    if chosen.is_given(NAME):
        return (str(chosen[NAME]),)
    listed = Chosen.from_environ(os.environ)[CAMERAS]  # no flag says it
    cameras = listed or chosen.file.cameras or (DEFAULT_CAMERA,)
    if chosen.is_given(SOURCE) and len(cameras) > 1:
        raise UsageError(
            f"{SOURCE.flag} is for one camera, and these are to be: {', '.join(cameras)}: "
            f"say which with {NAME.flag}"
        )
    return cameras


def _default(chosen: Chosen, cameras: tuple[str, ...]) -> str:
    """Return the camera that the web tier's routes without a name mean."""
    named = chosen.file.default_camera
    return named if named in cameras else cameras[0]


def _environ(cameras: tuple[str, ...]) -> dict[str, str]:
    """Return the children's environment: all must mean the same directory and cameras."""
    return {
        **os.environ,
        "FRAMEBUS_RUNTIME_DIR": str(runtime_dir()),
        CAMERAS.variable: " ".join(cameras),
    }


def _command(module: str, scope: Scope, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the command of one child, with those of its options that were given."""
    # -P: a json.py in the directory where somebody types this is not to be imported.
    command = [sys.executable, "-P", "-m", "framebus.cli.launch", str(os.getpid()), module]
    for option in TABLE:
        value = given.get(option.name)
        if value is not None and option not in _SECRETS and option.of(scope, Scope.BOTH):
            for each in value if option.repeated else (value,):
                command += [option.flag, each]
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
