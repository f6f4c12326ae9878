"""Every path, socket and segment name, derived from (RUNTIME, camera) and from nothing else.

This is the only file that spells one of them. It creates nothing.

    RUNTIME/CAMERA.lock       lockf'd by the daemon that serves CAMERA; its first line is the pid
    RUNTIME/CAMERA.ring       the name of the ring's segment; replaced with each daemon
    RUNTIME/CAMERA.control    ZeroMQ ROUTER: commands and replies
    RUNTIME/CAMERA.queries    the same, for calls that change nothing
    RUNTIME/CAMERA.frames     ZeroMQ PUB: one hint per frame
    RUNTIME/CAMERA.events     ZeroMQ PUB: state changes and incidents, JSON
    RUNTIME/@DEVICE.lock      lockf'd by the daemon that has DEVICE open ("@" starts no camera name)
    /run/framebus-privileged.sock   the helper that may reset USB devices; one for the machine
    /dev/shm/framebus-DIGEST-CAMERA.RANDOM   the ring: 128 random bits, so that nobody can be there
                              first; DIGEST tells two runtime directories apart
    STATE/CAMERA.DIGEST.incidents.jsonl  the journal of incidents; it outlives a boot
    STATE/web.token                   what a viewer shows the web tier, where it asks; likewise
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from framebus.errors import BadCameraName, UsageError, raise_shortage

DEFAULT_CAMERA = "camera"
PRIVILEGED_SOCKET = Path("/run/framebus-privileged.sock")
"""Where the privileged helper listens; FRAMEBUS_PRIVILEGED_SOCKET says otherwise."""
SYSTEM_RUNTIME = Path("/run/framebus")
"""The services' runtime directory. Only root can make it there."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux mounts POSIX shared memory
_CAMERA_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SEGMENT = re.compile(rf"framebus-[0-9a-f]{{8}}-({_CAMERA_NAME.pattern})\.[0-9a-f]{{32}}")
_SOCKET_PATH_MAX = 107  # bytes; sockaddr_un.sun_path less its terminator, unix(7)


def check_camera_name(name: str) -> str:
    """Return `name` unchanged if it is a camera name, else raise BadCameraName."""
    if not _CAMERA_NAME.fullmatch(name):
        # A source in a name's place may hold a password.
        shown = "a URL" if "://" in name or "@" in name else repr(name)
        raise BadCameraName(
            f"{shown} is no camera name: use 1 to 32 of a-z, 0-9, '_' and '-', "
            "starting with a letter or a digit"
        )
    return name


def runtime_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the RUNTIME directory that this environment means; it may not exist yet."""
    explicit = environ.get("FRAMEBUS_RUNTIME_DIR") or environ.get("RUNTIME_DIRECTORY")
    if explicit:
        # systemd joins several RuntimeDirectory= names with colons; the first is ours.
        return Path(explicit.split(":")[0])
    system = SYSTEM_RUNTIME
    if os.access(system if system.exists() else system.parent, os.W_OK):
        return system
    if environ.get("XDG_RUNTIME_DIR"):
        return Path(environ["XDG_RUNTIME_DIR"]) / "framebus"
    import tempfile  # it costs a fiftieth of the daemon's start, and few need it

    return Path(tempfile.gettempdir()) / f"framebus-{os.getuid()}"


def state_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the STATE directory that this environment means; it may not exist yet."""
    explicit = environ.get("FRAMEBUS_STATE_DIR") or environ.get("STATE_DIRECTORY")
    if explicit:
        return Path(explicit.split(":")[0])
    if environ.get("XDG_STATE_HOME"):
        return Path(environ["XDG_STATE_HOME"]) / "framebus"
    if environ.get("HOME"):
        return Path(environ["HOME"]) / ".local/state/framebus"
    return runtime_dir(environ)


def incident_journal(state: Path, runtime: Path, camera: str) -> Path:
    """Return the file of the incidents of the camera of this name in this runtime directory.

    Two runtime directories may have a camera of one name, and one STATE.
    """
    return state / f"{check_camera_name(camera)}.{_digest(runtime)}.incidents.jsonl"


def web_token(state: Path) -> Path:
    """Return the file with the web tier's token."""
    return state / "web.token"


def check_runtime_dir(runtime: Path) -> Path:
    """Return `runtime` unchanged, or raise UsageError if it is too long for a socket path."""
    longest = len(os.fsencode(runtime)) + len("/.control") + 32
    if longest > _SOCKET_PATH_MAX:
        raise UsageError(
            f"the runtime directory {runtime} is too long for a socket path "
            f"({longest} of {_SOCKET_PATH_MAX} bytes): set FRAMEBUS_RUNTIME_DIR to a shorter one"
        )
    return runtime


@dataclass(frozen=True)
class CameraNames:
    """The names of one camera's files and sockets."""

    runtime: Path
    camera: str = DEFAULT_CAMERA

    def __post_init__(self) -> None:
        check_camera_name(self.camera)

    @property
    def lock(self) -> Path:
        """Lock file of the daemon that serves this camera."""
        return self.runtime / f"{self.camera}.lock"

    @property
    def control_socket(self) -> Path:
        """Unix socket of the control ROUTER."""
        return self.runtime / f"{self.camera}.control"

    @property
    def queries_socket(self) -> Path:
        """Unix socket of the ROUTER that answers and carries out nothing."""
        return self.runtime / f"{self.camera}.queries"

    @property
    def frames_socket(self) -> Path:
        """Unix socket of the per-frame PUB."""
        return self.runtime / f"{self.camera}.frames"

    @property
    def events_socket(self) -> Path:
        """Unix socket of the events PUB."""
        return self.runtime / f"{self.camera}.events"

    @property
    def ring_file(self) -> Path:
        """The file that tells the name of the ring's segment."""
        return self.runtime / f"{self.camera}.ring"

    @property
    def segment_prefix(self) -> str:
        """What the names of all segments of this camera begin with."""
        return f"{segments_prefix(self.runtime)}{self.camera}."

    def new_segment(self) -> str:
        """Return a segment's name that nobody can foresee, as for shm_open without its slash."""
        return f"{self.segment_prefix}{os.urandom(16).hex()}"

    def is_segment(self, name: str) -> bool:
        """Whether a segment of this camera, in whatever runtime directory, can have this name."""
        found = _SEGMENT.fullmatch(name)
        return found is not None and found[1] == self.camera

    @property
    def files(self) -> tuple[Path, ...]:
        """All in the runtime directory by which others find the camera's daemon."""
        return (
            self.lock,
            self.ring_file,
            self.control_socket,
            self.queries_socket,
            self.frames_socket,
            self.events_socket,
        )


def segments_prefix(runtime: Path) -> str:
    """Return what the names of all segments of a runtime directory begin with."""
    return f"framebus-{_digest(runtime)}-"


def _digest(runtime: Path) -> str:
    digest: str = _sha256()(os.fsencode(runtime.resolve())).hexdigest()
    return digest[:8]


@cache
def _sha256() -> Callable[[bytes], Any]:
    """Return the hash; that of hashlib has half a megabyte of OpenSSL with it.

    The module `random` takes it from the same places.
    """
    for name in ("_sha2", "_sha256"):  # of Python 3.12, and before
        with suppress(ImportError):
            found: Callable[[bytes], Any] = import_module(name).sha256
            return found
    from hashlib import sha256

    return sha256


def endpoint(socket_path: Path) -> str:
    """Return the ZeroMQ endpoint of a Unix socket path."""
    return f"ipc://{socket_path}"


def device_lock(runtime: Path, rdev: int) -> Path:
    """Return the lock file of the character device with this st_rdev."""
    return runtime / f"@{os.major(rdev)}-{os.minor(rdev)}.lock"


def cameras(runtime: Path) -> list[str]:
    """Return the names of the cameras that have, or had, a daemon in `runtime`, sorted.

    Raises OutOfResources.
    """
    names = (entry for entry in entries(runtime) if entry.endswith(".lock"))
    stems = (name.removesuffix(".lock") for name in names)
    return sorted(stem for stem in stems if _CAMERA_NAME.fullmatch(stem))


def entries(directory: Path) -> list[str]:
    """Return what lies in a directory, nothing where we may not look. Raises OutOfResources."""
    try:
        return os.listdir(directory)
    except OSError as error:
        raise_shortage(error, f"cannot look into {directory}")
        return []


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths are one file or directory, by whatever links."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def segment_path(name: str) -> Path:
    """Return a segment as a file."""
    return SHARED_MEMORY / name
