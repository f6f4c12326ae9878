"""The fast path's library, built anew as a test wants it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from capture_daemon.native.library import PATH

SOURCES = sorted(PATH.parent.glob("*.c"))
SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_WARNINGS = ("-Wall", "-Wextra", "-Werror")


def built(folder: Path, *options: str) -> Path:
    """Build it in a folder, with warnings as errors; return the library."""
    library = folder / "fast_path.so"
    always = ("-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", *_WARNINGS)
    subprocess.run(["cc", *always, *options, "-o", library, *SOURCES], check=True)
    return library


def sanitizer(name: str) -> str:
    """Return the path of a sanitizer's own library, which must be loaded before all others."""
    told = subprocess.run(
        ["cc", f"-print-file-name={name}"], check=True, capture_output=True, text=True
    )
    return told.stdout.strip()
