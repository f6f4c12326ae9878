"""`framebus capture`: the daemon's options, for click. What they mean is in settings/options.py."""

from __future__ import annotations

import os
import stat
from collections.abc import Container
from pathlib import Path

import click
from framebus.options.flags import variable

from capture_daemon.settings.capture_request import FROZEN_AFTER_S
from capture_daemon.settings.options import (
    DEFAULT_LOG_LEVEL,
    DEFAULT_SOURCE,
    LOG_LEVELS,
    Settings,
    settings,
)
from capture_daemon.sources.redact import HIDDEN

_HELP = f"""Run the capture daemon of one camera, in the foreground.

It is the only process that opens the camera. It goes on until SIGTERM or Ctrl-C, whatever the
camera does; `framebus ctl status` tells what it does now.

\b
SOURCE is one of
  auto             the first camera that there is, else the test pattern
  v4l2:DEVICE      a node, a /dev/v4l/by-id name, usb:VID:PID[:SERIAL]
  ffmpeg:ARGS      whatever ffmpeg reads
  http://URL       another server's multipart stream
  file:PATH        a recording, looped
  test             a moving test pattern

\b
Exit codes: 0 ended by a signal or by `shutdown`, 64 wrong usage, 73 no room for the ring,
74 a clean end was not possible, 75 the camera's name or its device is held by another daemon,
77 no permission.
Every option has an environment variable; precedence: flag, variable, --config, default
(--source {DEFAULT_SOURCE}, --log-level {DEFAULT_LOG_LEVEL}).
"""


@click.command(help=_HELP)
@click.option("--name", envvar="FRAMEBUS_NAME", show_envvar=True, help="The camera's name.")
@click.option(
    "--source", envvar="FRAMEBUS_SOURCE", show_envvar=True, help="Where frames come from."
)
@click.option(
    "--fallback-source",
    envvar="FRAMEBUS_FALLBACK_SOURCE",
    show_envvar=True,
    metavar="SOURCE",
    help="What viewers see once everything was tried on a source in vain, until it is back; "
    "any SOURCE but auto. [default: none]",
)
@click.option(
    "--size", envvar="FRAMEBUS_SIZE", show_envvar=True, help="Frame size, as in 1280x720."
)
@click.option("--fps", envvar="FRAMEBUS_FPS", show_envvar=True, help="Frames a second.")
@click.option(
    "--ring-size",
    envvar="FRAMEBUS_RING_SIZE",
    show_envvar=True,
    help="Shared memory for frames, as in 64M. [default: 32M, or what room there is]",
)
@click.option(
    "--config",
    envvar="FRAMEBUS_CONFIG",
    show_envvar=True,
    metavar="FILE.toml",
    help="Options from a file.",
)
@click.option(
    "--log-level",
    envvar="FRAMEBUS_LOG_LEVEL",
    show_envvar=True,
    help=f"One of {', '.join(LOG_LEVELS)}.",
)
@click.option(
    "--end-holder",
    envvar="FRAMEBUS_END_HOLDER",
    show_envvar=True,
    metavar="true|false",
    help="Whether to end an earlier daemon of ours that hangs with the device. [default: false]",
)
@click.option(
    "--power-ports",
    envvar="FRAMEBUS_POWER_PORTS",
    show_envvar=True,
    metavar="PORT,...",
    help="USB ports, as in 1-1.2, whose power may be switched when nothing else helps.",
)
@click.option(
    "--frozen-after",
    envvar="FRAMEBUS_FROZEN_AFTER",
    show_envvar=True,
    metavar="SECONDS",
    help="Tell that a camera is frozen when its picture stays the same so long; 0: never. "
    f"[default: {FROZEN_AFTER_S:g}]",
)
@click.option(
    "--control-group",
    envvar="FRAMEBUS_CONTROL_GROUP",
    show_envvar=True,
    metavar="GROUP",
    help="The group that may command the daemon. [default: its own, which may read frames]",
)
@click.option(
    "--check", is_flag=True, help="Only find out whether the options are sound; start nothing."
)
def capture(check: bool, **flags: str | None) -> int:
    """Run the daemon until it is told to end; `_HELP` is what a person reads."""
    for name in ("source", "fallback_source"):
        os.environ.pop(variable(name), None)  # children of ours have no use for them
    given = {name for name, value in flags.items() if value is not None}
    resolved = settings(flags)
    if flags["config"] is not None:
        _warn_of_readers(Path(flags["config"]), resolved, given)
    if check:
        click.echo(f"framebus capture: the options of {resolved.name} are sound")
        return 0
    from capture_daemon.main import run  # --help and usage errors need no ZeroMQ

    return run(resolved, os.environ)


def _warn_of_readers(config: Path, resolved: Settings, given: Container[str]) -> None:
    """Tell when all users may read a file with a source that has secrets."""
    told = (("source", resolved.request.spec), ("fallback_source", resolved.fallback))
    secret = any(spec and HIDDEN in spec.text for name, spec in told if name not in given)
    if secret and config.stat().st_mode & stat.S_IROTH:
        click.echo(
            f"framebus capture: {config} may have a camera's password in it, and everybody can "
            f"read it: chmod o-r {config}",
            err=True,
        )
