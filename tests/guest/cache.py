"""Where the guest's kernels lie, outside the tree, and which kernels there are.

Knows nothing of apt, QEMU or pytest. Everything under the cache can be deleted at any time; the
next set-up makes it again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_RECIPE = ("cache.py", "clip.py", "debian.py", "image.py", "prepare.py", "init")


def recipe() -> str:
    """Return a digest of all that decides what the cache holds, except the packages' versions."""
    digest = hashlib.sha256()
    for name in _RECIPE:
        digest.update((_HERE / name).read_bytes())
    return digest.hexdigest()


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the guest's cache directory; it may not exist yet."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/")) / ".cache"
    return Path(base) / "framebus-guest"


@dataclass(frozen=True)
class Kernel:
    """One kernel that the guest boots, by the Debian suite that it comes from."""

    name: str
    suites: tuple[str, ...]
    """Debian suites; the metapackage is taken from the first, its dependencies from all."""
    why: str

    @property
    def folder(self) -> Path:
        """Everything of this kernel; checkouts whose recipes differ do not share one."""
        return cache_dir() / f"kernel-{self.name}-{recipe()[:12]}"

    @property
    def vmlinux(self) -> Path:
        """The unpacked kernel: QEMU starts the ELF by PVH, 6 s sooner than the bzImage."""
        return self.folder / "vmlinux"

    @property
    def initramfs(self) -> Path:
        """What mounts the guest's root."""
        return self.folder / "initramfs.cpio"

    @property
    def layer(self) -> Path:
        """A tree laid over the host's root in the guest: modules and udev."""
        return self.folder / "layer"

    @property
    def manifest(self) -> Path:
        """JSON, written last: the packages and the recipe that this folder was made from."""
        return self.folder / "manifest.json"


KERNELS = {
    kernel.name: kernel
    for kernel in (
        Kernel("stable", ("bookworm",), "6.1: the first S_FMT owns the stream"),
        Kernel("newer", ("trixie-backports", "trixie"), "6.17 or later: buffers own the stream"),
    )
}


def system_root() -> Path:
    """Return where the root lies that the guest has with systemd as its init."""
    return cache_dir() / "system"


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time make what is called `name` in the cache."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
