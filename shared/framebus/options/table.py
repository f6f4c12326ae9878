"""The options of `framebus up`, `capture` and `web`, one row each: the only place that has them.

Flags, variables, the keys of --config, what `up` hands to its children, --help, docs/options.md and
the comments of deploy/framebus.toml are made from this. To add one, write its row here, read it
where it is used, `chosen[THE_OPTION]` (chosen.py); then run `python -m framebus.options.page`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from framebus.names import DEFAULT_CAMERA
from framebus.options import kinds
from framebus.options.option import Option, Scope

# A row is read as one, not as ten lines: name, kind, whose it is, help, default.
# fmt: off
NAME: Option[str | None] = Option(
    "name", kinds.CAMERA, Scope.BOTH,
    "The camera's name; of several, the one that /stream and /snapshot mean.", None,
    more="Beside tables it is one of theirs.", without=DEFAULT_CAMERA)
CONFIG: Option[Path | None] = Option(
    "config", kinds.TOML, Scope.BOTH, "Options from a file; flags and environment variables win.",
    None, filed=False)
CAMERAS: Option[tuple[str, ...]] = Option(
    "cameras", kinds.several(kinds.CAMERA, " "), Scope.BOTH,
    "The cameras that there are to be, in the order in which the page has them.", (),
    more="`framebus up` starts these.", without="all that have a table", flagged=False)

SOURCE: Option[str] = Option(
    "source", kinds.text("SOURCE", "a source"), Scope.CAPTURE,
    "Where frames come from, as in v4l2:/dev/video0; `framebus capture --help` has all kinds.",
    "auto",
    more="For a camera write the name that deploy/udev gives it, or any of /dev/v4l/by-id: "
    "/dev/video0 may be another one after the next plugging in.",
    secret=True)
FALLBACK_SOURCE: Option[str] = Option(
    "fallback_source", kinds.text("SOURCE", "a source, or none"), Scope.CAPTURE,
    "What viewers see once everything was tried on a source in vain, until it is back; any SOURCE "
    "but auto.",
    "none", secret=True)
SIZE: Option[tuple[int, int] | None] = Option(
    "size", kinds.FRAME_SIZE, Scope.CAPTURE, "Frame size; the camera may grant another.", None,
    without="the source's")
FPS: Option[float | None] = Option(
    "fps", kinds.FRAME_RATE, Scope.CAPTURE, "Frames a second; the camera may grant another.", None,
    without="the source's")
RING_SIZE: Option[int | None] = Option(
    "ring_size", kinds.RING_SIZE, Scope.CAPTURE, "Shared memory for frames, as in 64M.", None,
    more="32M holds the last 5 s of 1920x1080 at 30 a second. A size that does not fit is refused.",
    without="32M, or its share of what room there is")
LOG_LEVEL: Option[str] = Option(
    "log_level", kinds.words("debug", "info", "warning", "error"), Scope.CAPTURE,
    "What the daemon logs: this and what is worse.", "info")
FROZEN_AFTER: Option[float] = Option(
    "frozen_after", kinds.SECONDS, Scope.CAPTURE,
    "Tell that a camera is frozen when its picture stays the same so long, byte for byte; 0: "
    "never.",
    10.0)
IDLE_AFTER: Option[float] = Option(
    "idle_after", kinds.DURATION, Scope.CAPTURE,
    "Close the camera when nobody has wanted frames for so long, until somebody does; 0: never.",
    0.0,
    more="Its light goes out. Viewers, snapshots, FrameReader and `framebus tap` wake it.")
IDLE_FPS: Option[float | None] = Option(
    "idle_fps", kinds.FRAME_RATE, Scope.CAPTURE,
    "Frames a second while nobody wants any and the camera is open; the others are dropped before "
    "they are looked at.",
    None, without="all of them")
END_HOLDER: Option[bool] = Option(
    "end_holder", kinds.SWITCH, Scope.CAPTURE,
    "Whether to end an earlier daemon of ours that hangs with the device.", False,
    more="Never anybody else's process.")
POWER_PORTS: Option[tuple[str, ...]] = Option(
    "power_ports", kinds.several(kinds.USB_PORT, ","), Scope.CAPTURE,
    "USB ports whose power may be switched when nothing else helps.", (), more="See uhubctl.")
PURE_PYTHON: Option[bool] = Option(
    "pure_python", kinds.SWITCH, Scope.BOTH,
    "Whether to do without the part in C that spares the processor: to look for a fault.", False)
CONTROL_GROUP: Option[str | None] = Option(
    "control_group", kinds.text("GROUP", "a group's name or number"), Scope.CAPTURE,
    "The group that may command the daemon.", None, without="its own, which may read frames")

BIND: Option[str] = Option(
    "bind", kinds.text("HOST:PORT", "HOST:PORT, [IPV6]:PORT, :PORT or unix:PATH"), Scope.WEB,
    "Where the web tier listens; also unix:PATH.", "127.0.0.1:8080",
    more="Behind nginx (deploy/nginx) 127.0.0.1 is right; 0.0.0.0:8080 is for a network whose "
    "lines you trust, since nothing is encrypted without certfile and keyfile.")
WORKERS: Option[int | None] = Option(
    "workers", kinds.whole(1, 64, "processes"), Scope.WEB, "Worker processes of the web tier.",
    None, without="1 on a small machine, else 2",
    more="Small: two cores or fewer, or less than 1.5 GiB of memory.")
# More than two processors can serve; so it is the machine that is the limit, and not this,
# unless somebody opens connections only to have them.
MAX_VIEWERS: Option[int] = Option(
    "max_viewers", kinds.VIEWERS, Scope.WEB,
    "Viewers at a time, of all workers together; 0: no limit.", 10_000,
    more="Beyond a limit a viewer is refused, and who is there keeps every frame.")
MAX_VIEWERS_PER_ADDRESS: Option[int] = Option(
    "max_viewers_per_address", kinds.VIEWERS, Scope.WEB,
    "Viewers at a time of one address, the proxy's if it is not declared.", 0, without="no limit")
MAX_RATE: Option[int] = Option(
    "max_rate", kinds.RATE, Scope.WEB,
    "Bytes a second for all viewers, as in 100M: beyond it no more are let in.", 0,
    without="no limit")
MAX_RATE_PER_ADDRESS: Option[int] = Option(
    "max_rate_per_address", kinds.RATE, Scope.WEB, "The same for the viewers of one address.", 0,
    without="no limit")
IO_URING: Option[str] = Option(
    "io_uring", kinds.words("auto", "off"), Scope.WEB,
    "Hand a frame to all viewers with one system call, where the kernel lets us; off: one for "
    "each.",
    "auto")
VIEW: Option[str | None] = Option(
    "view", kinds.words("open", "token"), Scope.WEB, "Who may look.", None,
    more="The token is in /var/lib/framebus-web/web.token, or the password in a password_file of "
    "yours.",
    without="open on the loopback, else token")
CONTROL: Option[str] = Option(
    "control", kinds.words("token", "off"), Scope.WEB, "Who may command cameras over HTTP.", "off",
    more="For token see docs/operations.md.")
PASSWORD_FILE: Option[Path | None] = Option(
    "password_file", kinds.FILE, Scope.WEB,
    "A file with a password of your own in place of the token.", None)
ALLOW_HOST: Option[tuple[str, ...]] = Option(
    "allow_host", kinds.several(kinds.HOST, " "), Scope.WEB,
    "A host name that the web tier goes by.", (), more="As in nginx's server_name.")
TRUSTED_PROXY: Option[tuple[str, ...]] = Option(
    "trusted_proxy", kinds.several(kinds.PROXY, " "), Scope.WEB,
    "A proxy whose X-Forwarded-... headers are true: an address, a network, or unix.", ())
CERTFILE: Option[Path | None] = Option(
    "certfile", kinds.PEM, Scope.WEB, "A certificate: serve HTTPS.", None)
KEYFILE: Option[Path | None] = Option(
    "keyfile", kinds.PEM, Scope.WEB, "Its key.", None)

# fmt: on
TABLE: tuple[Option[Any], ...] = tuple(
    each for each in list(globals().values()) if isinstance(each, Option)
)
"""All of them, in the order in which they stand here."""
