"""`framebus up`: the capture daemon and the web tier, in the foreground, kept running.

It knows the two sides by their module names only and imports neither: each is a child process that
gets the options that are its own. This file looks whether all is sound; then the process becomes
the program that runs them, supervise.py, which is a third as big.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from framebus import installation, printable
from framebus.cli import banner, greeter
from framebus.cli.part import Part, packed
from framebus.errors import FramebusError, UsageError
from framebus.names import DEFAULT_CAMERA, runtime_dir, state_dir
from framebus.options import flags
from framebus.options.chosen import Chosen
from framebus.options.option import Scope
from framebus.options.table import CAMERAS, NAME, SOURCE, TABLE
from framebus.serving import access, address

_SECRETS = tuple(option for option in TABLE if option.secret)
"""Given to the daemon alone, in its environment, since arguments are for all users to read."""
_PROGRAM = Path(__file__).with_name("supervise.py")

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
def up(**options: Any) -> int:  # and never returns, if all is sound
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
            keeps=tempfile.gettempdir(),
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
        # Only a child knows what a source may be, and it takes one a second to say so. So they are
        # asked when something of this machine stands in the way: a wrong source is heard of too.
        for part in parts:
            if refusal := _refusal(part, environ):
                click.echo(refusal, err=True)
                return os.EX_USAGE
        raise
    served = banner.Served(listen, cameras, allowed, credential, banner.hosts(listen, allowed))
    return _become_supervisor(parts, environ, greeter.start(served))


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


def _refusal(part: Part, common: Mapping[str, str]) -> str:
    """Return what a part says against its options, "" where they are sound; it is not started.

    Any other trouble that it has is no matter of its options.
    """
    done = subprocess.run(
        [*part.command, "--check"],
        env=part.environment(common),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return printable.lines(done.stderr.rstrip()) if done.returncode == os.EX_USAGE else ""


def _become_supervisor(parts: Sequence[Part], environ: Mapping[str, str], child: int) -> NoReturn:
    """Become the program that runs the parts, in this process: its parent and `child` stay."""
    told = os.memfd_create("framebus-parts", 0)  # no argument: there are secrets in it
    with os.fdopen(os.dup(told), "wb") as file:
        file.write(packed(parts))
    os.lseek(told, 0, os.SEEK_SET)
    program = [sys.executable, "-I", "-S", str(_PROGRAM), str(told), str(child)]
    os.execve(program[0], program, dict(environ))  # noqa: S606  that there is no shell is meant
