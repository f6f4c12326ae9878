"""Set-up of the guest: kernels, udev and an initramfs in the cache, made once and kept.

`python -m tests.guest.prepare [KERNEL ...]` makes what is missing. What is there already is kept
as long as the recipe (the files of this folder that shape it) is unchanged: no network is needed
then. `--again` makes it anew from today's packages.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.guest.cache import KERNELS, Kernel, cache_dir, locked, recipe, system_root
from tests.guest.camera.client import CLIP_FOLDER
from tests.guest.clip import draw_clip
from tests.guest.debian import Archive, SetupFailed, mirror, run
from tests.guest.image import BOOT_MODULES, CAMERA_MODULES, Modules, unpack_vmlinuz, write_initramfs

BUSYBOX = Path("/bin/busybox")
_HERE = Path(__file__).parent
_MONTH_S = 30 * 24 * 3600
_SYSTEM_PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "dbus", "kmod", "curl", "python3", "procps"),
    *("libbz2-1.0", "libffi8", "liblzma5", "libreadline8", "libsqlite3-0", "libssl3"),
)
"""systemd, and the libraries that a Python from outside Debian wants."""
_KERNEL_PART = re.compile(r"linux-(image|base|binary|modules)-\d")


def is_ready(kernel: Kernel) -> bool:
    """Tell whether `kernel` is in the cache, whole, and made by today's recipe."""
    try:
        manifest = json.loads(kernel.manifest.read_text())
        sizes = {name: (kernel.folder / name).stat().st_size for name in manifest["sizes"]}
    except (OSError, ValueError, KeyError):
        return False
    return bool(manifest["recipe"] == recipe() and sizes == manifest["sizes"])


def prepare(kernel: Kernel, *, again: bool = False) -> Kernel:
    """Make `kernel` ready in the cache unless it is. Raises SetupFailed."""
    with locked(kernel.name):
        if again or not is_ready(kernel):
            with tempfile.TemporaryDirectory(prefix=".making-", dir=cache_dir()) as scratch:
                made = _make(kernel, Path(scratch))
                _forget_old(kernel)
                shutil.rmtree(kernel.folder, ignore_errors=True)
                made.rename(kernel.folder)
        os.utime(kernel.manifest)
    return kernel


def _forget_old(kernel: Kernel) -> None:
    """Remove what other recipes left of `kernel` and nobody has used for a month."""
    for folder in cache_dir().glob(f"kernel-{kernel.name}*"):
        used = folder / "manifest.json"
        if not used.exists() or time.time() - used.stat().st_mtime > _MONTH_S:
            shutil.rmtree(folder)


def _make(kernel: Kernel, scratch: Path) -> Path:
    if not BUSYBOX.exists():
        raise SetupFailed("busybox is missing: install the package busybox-static")
    tree, made = scratch / "tree", scratch / "made"
    layer = made / "layer"
    layer.mkdir(parents=True)
    archive = Archive(scratch / "apt", kernel.suites)
    packages = archive.fetch(_kernel_packages(archive), tree)
    modules = Modules(tree)
    modules.copy((*BOOT_MODULES, *CAMERA_MODULES), layer)
    vmlinuz = [*tree.glob("boot/vmlinuz-*"), *tree.glob("usr/lib/modules/*/vmlinuz")]
    unpack_vmlinuz(vmlinuz[0], made / "vmlinux")
    write_initramfs(made / "initramfs.cpio", (_HERE / "init").read_bytes(), BUSYBOX, modules)
    # udev runs on the host's libraries; bookworm's asks little enough of them to run anywhere.
    udev = Archive(scratch / "apt-udev", KERNELS["stable"].suites)
    packages += udev.fetch(["udev"], scratch / "udev")
    _lay(scratch / "udev", layer)
    draw_clip(layer / CLIP_FOLDER.relative_to("/"))
    sizes = {name: (made / name).stat().st_size for name in ("vmlinux", "initramfs.cpio")}
    manifest = {
        "release": modules.release,
        "packages": packages,
        "recipe": recipe(),
        "sizes": sizes,
    }
    (made / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return made


def prepare_system(*, again: bool = False) -> Path:
    """Make the root with systemd ready in the cache unless it is. Raises SetupFailed.

    Needs root: the files of a Debian belong to several users.
    """
    root = system_root()
    done = root / "etc/framebus-guest"
    wanted = f"{codename()} {' '.join(_SYSTEM_PACKAGES)}\n"
    with locked("system"):
        if not again and done.exists() and done.read_text() == wanted:
            return root
        if os.geteuid():
            raise SetupFailed("the guest's root with systemd can be made by root only")
        with tempfile.TemporaryDirectory(prefix=".making-", dir=cache_dir()) as scratch:
            made = Path(scratch) / "system"
            include = ",".join(_SYSTEM_PACKAGES)
            options = ("--quiet", "--variant=minbase", f"--include={include}")
            run("mmdebstrap", *options, codename(), made, mirror())
            (made / "etc/framebus-guest").write_text(wanted)
            shutil.rmtree(root, ignore_errors=True)
            made.rename(root)
    return root


def codename() -> str:
    """Return this machine's Debian suite: the venv's Python and its libraries fit that one."""
    known = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line
    )
    return known.get("VERSION_CODENAME", "").strip('"') or KERNELS["stable"].suites[0]


def _kernel_packages(archive: Archive) -> list[str]:
    """Return the exact names: one package up to Debian 13, an image split in two after it."""
    (image,) = (name for name in archive.depends("linux-image-amd64") if _KERNEL_PART.match(name))
    parts = [name for name in archive.depends(image) if _KERNEL_PART.match(name)]
    return parts or [image]


def _lay(tree: Path, layer: Path) -> None:
    """Copy `tree` into `layer` under usr/: a real /bin or /lib there would hide the host's link."""
    for name in ("bin", "sbin", "lib"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, layer / "usr" / name, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(tree / "usr/lib", layer / "usr/lib", symlinks=True, dirs_exist_ok=True)


def main() -> int:
    """Make the kernels that are named, or all."""
    parser = argparse.ArgumentParser(prog="tests.guest.prepare", description=__doc__)
    parser.add_argument("kernels", nargs="*", choices=[[], *KERNELS], help="default: all")
    parser.add_argument("--systemd", action="store_true", help="the root with systemd too")
    parser.add_argument("--again", action="store_true", help="from today's packages, not the cache")
    options = parser.parse_args()
    for name in options.kernels or KERNELS:
        try:
            kernel = prepare(KERNELS[name], again=options.again)
        except SetupFailed as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
        manifest = json.loads(kernel.manifest.read_text())
        sys.stdout.write(f"{name}: {manifest['release']} in {kernel.folder}\n")
    if options.systemd:
        sys.stdout.write(f"systemd: {prepare_system(again=options.again)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
