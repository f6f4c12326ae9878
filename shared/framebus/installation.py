"""What is missing of this installation: one sentence, with the command that installs it.

`pip install .` brings all of PACKAGES, but those of LOST_WITHOUT on 32-bit ARM. What is missing all
the same was left out by whoever made the package, was removed, or does not load here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from framebus.errors import FramebusError, NoPermission, PartMissing

PACKAGES: Final[Mapping[str, str]] = {
    "PIL": "Pillow",
    "click": "click",
    "flask": "flask",
    "gunicorn": "gunicorn",
    "linuxpy": "linuxpy",
    "numpy": "numpy",
    "prometheus_client": "prometheus-client",
    "pyudev": "pyudev",
    "segno": "segno",
    "simplejpeg": "simplejpeg",
    "xxhash": "xxhash",
}
"""Module: the package that brings it (setup.cfg's install_requires)."""
FOR_THE_WEB = ("flask", "gunicorn", "prometheus_client", "xxhash")
"""What the web tier cannot start without."""
LOST_WITHOUT: Final[Mapping[str, str]] = {
    "Pillow": "the test pattern cannot be drawn, and what stands in for an absent camera's picture "
    "says only that there is none",
    "numpy": "a camera without MJPEG cannot be encoded",
    "simplejpeg": "a camera without MJPEG cannot be encoded",
}
"""Packages that framebus runs without, and what it then cannot do. On 32-bit ARM, which has no
wheels of them, pip does not ask for them (setup.cfg)."""
REMEDY = "`framebus doctor` has the command that installs it"
"""For who may read it elsewhere: the command has a path of this machine in it."""
_OURS = frozenset({"framebus", "capture_daemon", "web_workers"})
_CODE = (".py", ".pyc", ".so")


def install(*packages: str) -> str:
    """Return the command that installs these packages for the Python that runs here."""
    import shlex  # a daemon that starts has all it needs

    return shlex.join([sys.executable, "-m", "pip", "install", *packages])


def need(*modules: str) -> None:
    """Raise PartMissing, naming those of `modules` that are not here.

    Raises NoPermission if a new process of this user could not be Python with framebus: one that
    was root when it was started has all of it in memory.
    """
    from importlib.util import find_spec  # who only explains can do without

    for path, how in ((sys.executable, os.X_OK), (__file__, os.R_OK)):
        if not os.access(path, how):
            raise _unreadable(path)
    absent = [name for name in modules if find_spec(name) is None]
    if absent:
        raise _absent(*absent)


def module(error: ImportError) -> str:
    """Return the top module that was not imported, "" where that is unknown."""
    return (error.name or "").partition(".")[0]


def explained(error: ImportError) -> FramebusError:
    """Return what a failed import means to a person."""
    while isinstance(error.__cause__, ImportError):  # numpy wraps what happened in advice
        error = error.__cause__
    name = module(error)
    said = " ".join(str(error).split())
    if not name or name in _OURS or name in sys.stdlib_module_names:
        return PartMissing(f"this installation is not whole ({said}): install framebus again")
    if isinstance(error, ModuleNotFoundError) and error.name == name:
        return _absent(name)
    package = PACKAGES.get(name, name)
    return PartMissing(
        f"{package} does not load here ({said}): {install('--force-reinstall', package)}"
    )


@contextmanager
def told() -> Iterator[None]:
    """End this process with one sentence if a part of the installation is missing."""
    try:
        yield
    except ImportError as error:
        failure = explained(error)
    except PermissionError as error:
        if not str(error.filename).endswith(_CODE):
            raise
        failure = _unreadable(str(error.filename))
    else:
        return
    sys.stderr.write(f"framebus: {failure}\n")
    sys.exit(failure.exit_code)


def _unreadable(path: str) -> NoPermission:
    return NoPermission(
        f"{path}, a part of this installation, is not for this user (uid {os.geteuid()}) to read: "
        "run framebus as a user who may, or install it where all may read it"
    )


def _absent(*modules: str) -> PartMissing:
    packages = [PACKAGES.get(name, name) for name in modules]
    are = "is" if len(packages) == 1 else "are"
    return PartMissing(
        f"{', '.join(packages)} {are} needed and not installed here: {install(*packages)}"
    )
