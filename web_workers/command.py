"""`framebus web`: the options of the web tier, for click. Becomes gunicorn, or says why it cannot.

gunicorn's settings are in gunicorn_conf.py; what a person chose travels there in the environment.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from framebus import installation
from framebus.errors import CameraAbsent, FramebusError, NoPermission, Untrusted
from framebus.names import (
    DEFAULT_CAMERA,
    check_camera_name,
    check_runtime_dir,
    runtime_dir,
    state_dir,
)
from framebus.options import flags
from framebus.options.chosen import Chosen
from framebus.options.option import Scope
from framebus.options.table import CAMERAS, NAME
from framebus.serving import access, address
from framebus.trusted_files import owner_of

from web_workers.capacity import THREAD_SLOTS

_CONF = "python:web_workers.gunicorn_conf"

_HELP = f"""Run the web tier: gunicorn, for any number of viewers.

It serves every camera of the runtime directory, opens none, and goes on while capture daemons
come and go. SIGHUP replaces the workers by ones that run the code on disk; viewers stay connected.
Code that does not start would end it: `--check` with the same options tells beforehand.

\b
  framebus web
  framebus web --bind 0.0.0.0:8080        for other machines too
  framebus web --bind unix:/run/framebus/web.sock
  framebus web --max-viewers 200 --max-rate 100M    beyond it: 503

Beyond this machine a token is asked for, which is made once; where it is, is said at the start.
With --certfile each viewer takes one of {THREAD_SLOTS} threads a worker: put nginx in front for
more.

Exit codes: 64 wrong usage, 69 no such address, or Flask, gunicorn or others are not installed,
70 (--check) the code does not start, 75 the port is in use, 77 no permission.
"""


class UnsoundCode(FramebusError):
    """The web tier's code on disk does not start."""

    exit_code = os.EX_SOFTWARE


@click.command(help=_HELP)
@flags.of(Scope.BOTH, Scope.WEB)
@click.option(
    "--check",
    is_flag=True,
    help="Only find out whether options, secret, certificate and code are sound, as before a "
    "reload; start nothing.",
)
def web(check: bool, **given: Any) -> None:
    """Check what can be checked, then become gunicorn; `_HELP` is what a person reads."""
    options = flags.chosen(given)
    environ = environment(options, os.environ)
    installation.need(*installation.FOR_THE_WEB)
    listen = address.listening(options)
    allowed = access.choose(options, listen)
    secret = access.credential(allowed, state_dir()) if allowed.asks else None
    if secret is None and allowed.password_file is not None:
        click.echo(
            "framebus: view open, control off: the password of --password-file is asked of nobody; "
            "--view token asks for it",
            err=True,
        )
        if check:
            access.password(allowed.password_file)
    if check:
        _check_code(environ)
        return
    if secret is not None:
        _say_access(allowed, secret)
    listen.check_free()
    _leave_removed_directory()
    os.execve(  # noqa: S606  no shell: this process becomes gunicorn, signals and all
        sys.executable,
        [sys.executable, "-P", "-m", "web_workers.run_gunicorn", "--config", _CONF],
        environ,
    )


def _check_code(environ: Mapping[str, str]) -> None:
    """Import and make what a worker would; raises UnsoundCode, since that would end gunicorn."""
    try:
        importlib.import_module("web_workers.worker")
        app = importlib.import_module("web_workers.app")
        app.create_app(
            importlib.import_module("web_workers.settings").Settings.from_environ(environ)
        )
    except Exception as error:
        raise UnsoundCode(
            f"workers would not start ({type(error).__name__}: {error}): "
            "do not reload; install another version, or this one again"
        ) from error
    click.echo("framebus web: options and code are sound")


def _leave_removed_directory() -> None:
    """Go where gunicorn starts: it does not in a directory that was removed meanwhile."""
    try:
        os.getcwd()
    except FileNotFoundError:
        os.chdir("/")


def _say_access(allowed: access.Access, secret: access.Credential) -> None:
    """Say where the secret is, which is all that a log may know of it."""
    click.echo(
        f"framebus: view {allowed.view}, control {allowed.control}; what is asked for is in "
        f"{secret.file}",
        err=True,
    )


def environment(options: Chosen, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that says what was chosen; raises UsageError."""
    options.check(Scope.WEB, Scope.BOTH)
    told = environ.get(CAMERAS.variable)  # by `framebus up`
    cameras = options.file.cameras if told is None else told.split()
    name = options[NAME] or options.file.default_camera or DEFAULT_CAMERA
    return {
        **environ,
        **options.to_environ(Scope.WEB),
        NAME.variable: name,
        CAMERAS.variable: " ".join(map(check_camera_name, cameras)),
        "FRAMEBUS_RUNTIME_DIR": str(_trusted(check_runtime_dir(runtime_dir(environ)))),
    }


def _trusted(runtime: Path) -> Path:
    """Return a directory that may be missing yet, or not ours to look at. Raises Untrusted."""
    try:
        owner_of(runtime)
    except (CameraAbsent, NoPermission) as error:
        if isinstance(error, Untrusted):
            raise
    return runtime
