"""`framebus web`: the options of the web tier, for click. Becomes gunicorn, or says why it cannot.

gunicorn's settings are in gunicorn_conf.py; what a person chose travels there in the environment.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from framebus import installation
from framebus.cli import sending, serving
from framebus.cli.limits import DEFAULT_VIEWERS
from framebus.cli.limits import options as limit_options
from framebus.errors import CameraAbsent, FramebusError, NoPermission, Untrusted
from framebus.names import (
    DEFAULT_CAMERA,
    check_camera_name,
    check_runtime_dir,
    runtime_dir,
    state_dir,
)
from framebus.options import file as config
from framebus.serving import access, address
from framebus.trusted_files import owner_of

from web_workers.admission import settings as limits
from web_workers.settings import (
    BIND,
    CAMERAS,
    DEFAULT_BIND,
    IO_URING,
    NAME,
    WORKERS,
    default_workers,
)
from web_workers.viewers.thread_slots import THREAD_SLOTS

_CONF = "python:web_workers.gunicorn_conf"

_HELP = f"""Run the web tier: gunicorn, for any number of viewers.

It serves every camera of the runtime directory, opens none, and goes on while capture daemons
come and go. SIGHUP replaces the workers by ones that run the code on disk; viewers stay connected.
Code that does not start would end it: `--check` with the same options tells beforehand.

\b
  framebus web
  framebus web --bind 0.0.0.0:8080        for other machines too ({DEFAULT_BIND} otherwise)
  framebus web --bind unix:/run/framebus/web.sock
  framebus web --max-viewers 200 --max-rate 100M      beyond it: 503, and who is in stays in

Beyond this machine a token is asked for, which is made once; where it is, is said at the start.
With --certfile each viewer takes one of {THREAD_SLOTS} threads a worker: put nginx in front for
more.

\b
Exit codes: 64 wrong usage, 69 no such address, or Flask, gunicorn or others are not installed,
70 (--check) the code does not start, 75 the port is in use, 77 no permission.
"""


class UnsoundCode(FramebusError):
    """The web tier's code on disk does not start."""

    exit_code = os.EX_SOFTWARE


@click.command(help=_HELP)
@click.option(
    "--bind",
    envvar=BIND,
    show_envvar=True,
    metavar="HOST:PORT",
    help=f"Where to listen; also unix:PATH. [default: {DEFAULT_BIND}]",
)
@click.option(
    "--workers",
    envvar=WORKERS,
    show_envvar=True,
    metavar="COUNT",
    help="Worker processes. [default: one a core, two at most]",
)
@click.option(
    "--name",
    envvar=NAME,
    show_envvar=True,
    metavar="NAME",
    help=f"The camera that /stream and /snapshot mean. [default: {DEFAULT_CAMERA}]",
)
@limit_options
@sending.options
@click.option(
    "--config",
    envvar="FRAMEBUS_CONFIG",
    show_envvar=True,
    metavar="FILE.toml",
    help="Options from a file; flags and environment variables win.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Only find out whether options, secret, certificate and code are sound, as before a "
    "reload; start nothing.",
)
@access.options
def web(check: bool, **options: Any) -> None:
    """Check what can be checked, then become gunicorn; `_HELP` is what a person reads."""
    file = config.load(Path(options["config"]) if options["config"] else None)
    chosen = choose(options, file, os.environ)
    installation.need(*installation.FOR_THE_WEB)
    listen = address.parse(chosen[BIND])
    allowed = access.choose(options, file.common, listen)
    secret = access.credential(allowed, state_dir()) if allowed.asks else None
    if secret is None and allowed.password_file is not None:
        click.echo(
            "framebus: view open, control off: the password of --password-file is asked of nobody; "
            "--view token asks for it",
            err=True,
        )
    if check:
        _check_code({**os.environ, **chosen})
        return
    if secret is not None:
        _say_access(allowed, secret)
    listen.check_free()
    _leave_removed_directory()
    os.execve(  # noqa: S606  no shell: this process becomes gunicorn, signals and all
        sys.executable,
        [sys.executable, "-P", "-m", "web_workers.master", "--config", _CONF],
        {**os.environ, **chosen},
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


def choose(
    options: Mapping[str, Any], file: config.Config, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that says what was chosen; raises UsageError."""
    common = file.common
    name = config.pick(options["name"], common.get("name"), (*file.cameras, DEFAULT_CAMERA)[0])
    workers = config.pick(options["workers"], common.get("workers"), default_workers())
    return {
        BIND: str(config.pick(options["bind"], common.get("bind"), DEFAULT_BIND)),
        WORKERS: str(serving.workers("--workers", str(workers))),
        NAME: check_camera_name(str(name)),
        CAMERAS: " ".join(map(check_camera_name, _cameras(file, environ))),
        IO_URING: _io_uring(options, common),
        **_limits(options, common),
        "FRAMEBUS_RUNTIME_DIR": str(_trusted(check_runtime_dir(runtime_dir(environ)))),
        **access.to_environ(options, common),
    }


def _cameras(file: config.Config, environ: Mapping[str, str]) -> Sequence[str]:
    """Return the cameras to be shown before any daemon ran: those of `framebus up`, or a file."""
    told = environ.get(CAMERAS)
    return file.cameras if told is None else told.split()


def _trusted(runtime: Path) -> Path:
    """Return a directory that may be missing yet, or not ours to look at. Raises Untrusted."""
    try:
        owner_of(runtime)
    except (CameraAbsent, NoPermission) as error:
        if isinstance(error, Untrusted):
            raise
    return runtime


def _limits(options: Mapping[str, str | None], common: Mapping[str, object]) -> dict[str, str]:
    chosen = {}
    for variable, check, default in (
        (limits.MAX_VIEWERS, serving.viewers, DEFAULT_VIEWERS),
        (limits.MAX_VIEWERS_PER_ADDRESS, serving.viewers, 0),
        (limits.MAX_RATE, serving.rate, 0),
        (limits.MAX_RATE_PER_ADDRESS, serving.rate, 0),
    ):
        key = variable.removeprefix("FRAMEBUS_").lower()
        value = str(config.pick(options.get(key), common.get(key), default))
        chosen[variable] = str(check(f"--{key.replace('_', '-')}", value))
    return chosen


def _io_uring(options: Mapping[str, str | None], common: Mapping[str, object]) -> str:
    text = str(config.pick(options.get("io_uring"), common.get("io_uring"), serving.AUTO))
    serving.io_uring("--io-uring", text)
    return text
