"""From an unpacked kernel package to what QEMU boots: vmlinux, a layer of modules, an initramfs.

Pure file work; knows nothing of where packages come from. The layouts are the kernel's own:
Documentation/arch/x86/boot.rst, driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import lzma
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.guest.debian import SetupFailed, run

BOOT_MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""Loaded by the initramfs, in this order; a name that is built in is skipped."""
CAMERA_MODULES = ("vhci_hcd", "uvcvideo", "vivid", "dummy_hcd", "usb_f_uvc", "autofs4")
"""Loaded with modprobe in the guest by whoever wants them."""


def unpack_vmlinuz(vmlinuz: Path, vmlinux: Path) -> None:
    """Write the ELF kernel that the bzImage `vmlinuz` carries compressed (xz or zstd)."""
    image = vmlinuz.read_bytes()
    setup_sectors = image[0x1F1]
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = image[start : start + length]
    if payload.startswith(b"\xfd7zXZ\0"):
        vmlinux.write_bytes(lzma.LZMADecompressor().decompress(payload))
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        # The last 4 bytes are the unpacked size, no part of the zstd stream.
        unzstd = ["zstd", "--decompress", "--stdout", "--quiet"]
        done = subprocess.run(unzstd, input=payload[:-4], capture_output=True, check=False)
        if done.returncode:
            raise SetupFailed(f"cannot unpack {vmlinuz}: {done.stderr.decode()}")
        vmlinux.write_bytes(done.stdout)
    else:
        raise SetupFailed(f"{vmlinuz} is compressed in a way not known here: {payload[:6].hex()}")


class Modules:
    """The modules of one kernel, as depmod sees them."""

    def __init__(self, tree: Path) -> None:
        found = [*tree.glob("lib/modules/*"), *tree.glob("usr/lib/modules/*")]
        self._folder = next(folder for folder in found if (folder / "kernel").is_dir())
        self.release = self._folder.name
        self._depends = self._read_dependencies(self._folder.parents[2])

    def _read_dependencies(self, root: Path) -> dict[str, list[str]]:
        run("/sbin/depmod", "-b", root, self.release)
        table: dict[str, list[str]] = {}
        for line in (self._folder / "modules.dep").read_text().splitlines():
            path, _, needed = line.partition(":")
            table[path] = needed.split()
        return table

    def closure(self, names: Iterable[str]) -> list[str]:
        """Return the module files that `names` need, in an order in which they can be loaded."""
        by_name = {Path(path).name.split(".")[0].replace("-", "_"): path for path in self._depends}
        ordered: list[str] = []
        for name in names:
            path = by_name.get(name)
            if path is None:
                continue
            # modules.dep lists what a module needs with the deepest dependency last.
            for needed in [*reversed(self._depends[path]), path]:
                if needed not in ordered:
                    ordered.append(needed)
        return ordered

    def copy(self, names: Iterable[str], layer: Path) -> None:
        """Put the modules `names` and all that they need into `layer`, ready for modprobe."""
        target = layer / "usr/lib/modules" / self.release
        for path in self.closure(names):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._folder / path, target / path)
        for index in self._folder.glob("modules.*"):
            if "builtin" in index.name or index.name == "modules.order":
                shutil.copy(index, target / index.name)
        run("/sbin/depmod", "-b", layer / "usr", self.release)

    def plain(self, path: str) -> bytes:
        """Return a module's bytes, unpacked: busybox's insmod takes no .ko.xz."""
        data = (self._folder / path).read_bytes()
        return lzma.decompress(data) if path.endswith(".xz") else data


def _member(name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """Return one "newc" cpio member; root owns it, its time is 0."""
    encoded = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


def write_initramfs(target: Path, init: bytes, busybox: Path, modules: Modules) -> None:
    """Write an uncompressed initramfs: busybox, `init` and the modules for the root, numbered."""
    folders = ["bin", "dev", "proc", "sys", "modules", "host", "system", "layer", "top", "root"]
    members = [_member(name, 0o040755) for name in folders]
    members.append(_member("dev/console", 0o020600, device=(5, 1)))
    members.append(_member("init", 0o100755, init))
    members.append(_member("bin/busybox", 0o100755, busybox.read_bytes()))
    for number, path in enumerate(modules.closure(BOOT_MODULES)):
        name = f"modules/{number:02d}-{Path(path).name.split('.')[0]}.ko"
        members.append(_member(name, 0o100644, modules.plain(path)))
    members.append(_member("TRAILER!!!", 0))
    target.write_bytes(b"".join(members))
