"""One file with all that a bug report needs, and without secrets.

Everything that goes in passes `scrub`: texts of people, daemons and the kernel may carry passwords
in places that nobody thought of. Serial numbers of cameras stay: they tell twins apart.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from framebus.errors import FramebusError, UsageError
from framebus.invocation.output import OutputFailed
from framebus.names import CameraNames, state_dir, web_token
from framebus.options.table import TABLE
from framebus.secret_files import read_secret
from framebus.version import __version__

from capture_daemon.devices.sysfs import attribute
from capture_daemon.diagnosis import doctor
from capture_daemon.diagnosis.check_service import known_incidents
from capture_daemon.diagnosis.finding import Finding
from capture_daemon.diagnosis.machine import Machine
from capture_daemon.settings import spec
from capture_daemon.sources.redact import redact
from capture_daemon.v4l2.cameras import Camera

CONTENTS = (
    "it holds findings, versions, status, incidents, formats, holders, the kernel's lines on USB "
    "and facts of the cameras with their serial numbers; no pictures, passwords or environment"
)
_KERNEL_S = 86_400
_FACTS = (
    *("idVendor", "idProduct", "bcdDevice", "manufacturer", "product", "serial", "version"),
    *("speed", "bMaxPower", "bNumInterfaces", "authorized", "removable", "quirks", "busnum"),
    *("devnum", "power/control", "power/runtime_status", "urbnum", "ltm_capable"),
    "avoid_reset_quirk",
)
"""What sysfs says of a USB device; all of it may be read by anybody."""
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|auth|cred", re.IGNORECASE)
_SHORTEST_SECRET = 4
_HIDDEN = "***"


def secrets_of(environ: Mapping[str, str]) -> list[str]:
    """Return what of the environment must not be in it, the longest first.

    The values of variables that sound like secrets, and what of a source is not to be shown.
    """
    found = {
        value
        for name, value in environ.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    }
    for option in TABLE:
        with suppress(UsageError):
            if option.secret:
                found |= spec.parse(environ.get(option.variable, "")).secrets
    return sorted(found, key=len, reverse=True)


def scrub(value: object, secrets: Sequence[str] = ()) -> object:
    """Return a JSON value with only scheme, host and port of URLs, and without these secrets."""
    match value:
        case str():
            for secret in secrets:
                # A text may quote a reply, in which the secret is escaped.
                value = value.replace(secret, _HIDDEN).replace(json.dumps(secret)[1:-1], _HIDDEN)
            return redact(value)
        case Mapping():
            return {str(key): scrub(each, secrets) for key, each in value.items()}
        case list() | tuple():
            return [scrub(each, secrets) for each in value]
        case _:
            return value


def collect(
    machine: Machine, findings: Sequence[Finding], environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the files of a bundle by name, scrubbed. Opens no camera."""
    files: dict[str, object] = {
        "README.txt": f"Made by framebus doctor --bundle: {CONTENTS}.\n",
        "findings.txt": doctor.render(machine, findings) + "\n",
        "findings.json": [each.document() for each in findings],
        "versions.json": _versions(machine),
        "holders.json": _holders(machine),
        "kernel.txt": _kernel(machine),
    }
    for camera in machine.cameras():
        files[f"camera-{Path(camera.node).name}.json"] = _facts(machine, camera)
    for name in machine.names():
        for method in ("status", "formats"):
            files[f"{method}-{name}.json"] = _asked(machine, name, method)
        files[f"incidents-{name}.json"] = known_incidents(machine, name)
    secrets = [*secrets_of(environ), *_web_token(environ)]
    return {name: _text(scrub(content, secrets)) for name, content in files.items()}


def write(path: Path, files: Mapping[str, str]) -> None:
    """Write a new tar.gz that only its owner may read. Raises UsageError, OutputFailed.

    A file that is there already stays as it is.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in sorted(files.items()):
            data = text.encode()
            entry = tarfile.TarInfo(f"framebus/{name}")
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already: name a new file") from error
    except OSError as error:
        raise OutputFailed(f"cannot write {path}: {error.strerror}") from error
    with open(fd, "wb") as file:
        try:
            file.write(archive.getvalue())
            file.flush()
        except OSError as error:
            path.unlink()
            raise OutputFailed(f"cannot write {path}: {error.strerror}") from error


def _web_token(environ: Mapping[str, str]) -> list[str]:
    """Return the web tier's token, if there is one that we may read."""
    try:
        return [read_secret(web_token(state_dir(environ)))]
    except (FramebusError, FileNotFoundError):
        return []


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _versions(machine: Machine) -> dict[str, object]:
    packages = ("linuxpy", "pyudev", "click", "flask", "gunicorn", "pillow", "simplejpeg")
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        system = ""
    return {
        "framebus": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "system": system,
        **{name: machine.version(name) for name in packages},
    }


def _holders(machine: Machine) -> dict[str, object]:
    found: dict[str, object] = {}
    for camera in machine.cameras():
        try:
            seen = machine.holders(os.stat(camera.node).st_rdev, frozenset())
        except OSError as error:
            found[camera.node] = str(error)
        else:
            found[camera.node] = {
                "holders": [each.document() for each in seen.found],
                "notes": seen.notes(),
            }
    return found


def _kernel(machine: Machine) -> str:
    log = machine.kernel_log("", machine.now_utc_ns - _KERNEL_S * 1_000_000_000)
    lines = [f"{line.utc_ns / 1e9:.6f} {line.text}\n    = {line.meaning}" for line in log.lines]
    return "\n".join([*log.notes, *lines, ""])


def _facts(machine: Machine, camera: Camera) -> dict[str, object]:
    folder = machine.paths.usb / camera.port
    facts = {name: attribute(folder / name) for name in _FACTS if camera.port}
    return {**camera.document(), "usb": {name: fact for name, fact in facts.items() if fact}}


def _asked(machine: Machine, name: str, method: str) -> object:
    try:
        return machine.ask(CameraNames(machine.runtime, name), method)
    except FramebusError as error:
        return {"error": str(error)}
