"""System packages that the tests want: installed as root on Debian, else said to be missing.

`python tests/setup_system.py`: exits 0 when all is there or could be installed, and also when
something is missing: the tests that want it are left out and say so. With CI=true a missing part
is a failure. Needs nothing but the standard library: it runs before the venv is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAMS: Mapping[str, tuple[str, str]] = {
    "qemu-system-x86_64": ("qemu-system-x86", "guest tests"),
    "qemu-aarch64-static": ("qemu-user-static", "the ring's tests on aarch64"),
    "aarch64-linux-gnu-gcc": (
        "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
        "the ring's tests on aarch64",
    ),
    "busybox": ("busybox-static", "guest tests"),
    "depmod": ("kmod", "guest tests"),
    "zstd": ("zstd", "guest tests on newer kernels"),
    "mmdebstrap": ("mmdebstrap", "guest tests with systemd"),
    "v4l2-ctl": ("v4l-utils", "guest tests"),
    "chromium": ("chromium", "browser and client tests"),
    "ffmpeg": ("ffmpeg", "tests of the ffmpeg source and of its clients"),
    "curl": ("curl", "client tests"),
    "firefox-esr": ("firefox-esr", "browser and client tests"),
    "mpv": ("mpv", "client tests"),
    "cvlc": ("vlc-bin vlc-plugin-base", "client tests"),
    "mplayer": ("mplayer", "client tests"),
    "lighttpd": ("lighttpd", "client tests behind it"),
    "varnishd": ("varnish", "client tests behind it"),
    "gst-launch-1.0": ("gstreamer1.0-tools gstreamer1.0-plugins-good", "client tests"),
    "openssl": ("openssl", "tests over TLS"),
    "ustreamer": ("ustreamer", "the test of the http source on another server"),
    "systemd-analyze": ("systemd", "tests of deploy/systemd"),
    "systemd-sysusers": ("systemd", "tests of deploy/systemd"),
    "udevadm": ("udev", "tests of deploy/udev"),
    "cc": ("build-essential", "tests of what is in C"),
    "/usr/include/xxhash.h": ("libxxhash-dev", "tests of the ring's reader in C"),
    "nginx": ("nginx-light", "tests behind a proxy"),
}
"""Program, or a file by its path: (Debian packages, what is left out without it)."""
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def missing() -> dict[str, tuple[str, str]]:
    """Return the rows of PROGRAMS whose program or file is not here."""
    return {name: row for name, row in PROGRAMS.items() if not _is_here(name)}


def _is_here(name: str) -> bool:
    return os.path.exists(name) if name[0] == "/" else bool(shutil.which(name, path=_PATH))


def apt(*arguments: str) -> bool:
    """Run apt-get, waiting for its lock; tell whether it succeeded."""
    command = ["apt-get", "--quiet", "--quiet", "-oDPkg::Lock::Timeout=300", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, check=False).returncode == 0


def install(packages: Sequence[str]) -> None:
    """Install what can be installed; one package that fails does not stop the others."""
    sys.stderr.write(f"Installing for the tests, which takes minutes: {' '.join(packages)} ...\n")
    options = ("install", "--yes", "--no-install-recommends")
    if apt("update") and not apt(*options, *packages):
        for package in packages:
            apt(*options, package)


def main() -> int:
    """Install, then say what is still missing."""
    wanted = sorted({package for packages, _ in missing().values() for package in packages.split()})
    if wanted and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        install(wanted)
    left = missing()
    for name, (packages, use) in left.items():
        sys.stderr.write(f"{name} is missing (Debian: {packages}): {use} are left out\n")
    return 1 if left and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
