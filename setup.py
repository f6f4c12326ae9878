"""What setup.cfg cannot say: the libraries in C, which are optional, and what the wheel is for.

They are plain shared libraries that ctypes loads: they know nothing of Python, so one serves every
version of it. Where they cannot be built (no compiler), that is a warning, and Python does it all.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

LIBRARIES = {
    "capture_daemon.native.fast_path": "capture_daemon/native",
    "web_workers.native.pump": "web_workers/native",
}
"""Library: where its sources are, all of them."""


def library(name: str, folder: str) -> Extension:
    """Return how a library is built."""
    return Extension(
        name,
        sorted(map(str, Path(folder).glob("*.c"))),
        depends=sorted(map(str, Path(folder).glob("*.h"))),
        define_macros=[("_GNU_SOURCE", None)],
        extra_compile_args=["-std=c11", "-Wall", "-Wextra"],
        optional=True,
    )


class BuildLibraries(build_ext):
    """Builds them under their own names."""

    def get_ext_filename(self, fullname: str) -> str:
        """Return the file, without the version of a Python."""
        return f"{fullname.replace('.', '/')}.so"


class Wheel(bdist_wheel):
    """For any Python on this kind of machine."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return what it is for."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[library(name, folder) for name, folder in LIBRARIES.items()],
    cmdclass={"build_ext": BuildLibraries, "bdist_wheel": Wheel},
)
