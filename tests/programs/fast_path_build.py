"""The libraries in C, built anew as a test wants them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from capture_daemon.native.library import PATH

SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_WARNINGS = ("-Wall", "-Wextra", "-Werror")


def built(folder: Path, *options: str, compiler: str = "cc", path: Path = PATH) -> Path:
    """Build the library of a path in a folder, with warnings as errors; return it."""
    library, sources = folder / path.name, sorted(path.parent.glob("*.c"))
    always = ("-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", *_WARNINGS)
    subprocess.run([compiler, *always, *options, "-o", library, *sources], check=True)
    return library


def sanitizer(name: str) -> str:
    """Return the path of a sanitizer's own library, which must be loaded before all others."""
    told = subprocess.run(
        ["cc", f"-print-file-name={name}"], check=True, capture_output=True, text=True
    )
    return told.stdout.strip()
