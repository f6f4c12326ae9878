"""The library in C: it is there, it is of this version, and what is said where it is not."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from framebus.native_library import Unavailable
from xxhash import xxh3_64_intdigest

from capture_daemon.native import library
from capture_daemon.native.state import OutletState
from web_workers.native.library import PATH, Pump
from web_workers.native.state import PumpState

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "load", "files"), [(library.PATH, library.load, 4), (PATH, Pump, 1)]
)
def test_each_library_was_built_from_these_sources(
    path: Path, load: Callable[[], object], files: int
) -> None:
    sources = [each for each in path.parent.iterdir() if each.suffix in (".c", ".h")]
    assert len(sources) >= files
    built = path.stat().st_mtime if path.exists() else 0
    newest = max(each.stat().st_mtime for each in sources)
    assert built >= newest, "install framebus again: pip install --no-deps --editable ."
    load()


def test_a_pump_of_another_version_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable, match="not built"):
        Pump(tmp_path / "pump.so")
    with pytest.raises(Unavailable, match="another version"):
        Pump(library.PATH)

    class Longer(PumpState):
        _fields_ = (("more", ctypes.c_uint64),)

    monkeypatch.setattr("web_workers.native.library.PumpState", Longer)
    with pytest.raises(Unavailable, match="another version"):
        Pump()


def test_its_hash_is_the_readers() -> None:
    prototype = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t)
    function = prototype(library.load().hash_address)
    for data in (b"", b"picture", bytes(range(256)) * 1000):
        assert function(data, len(data)) == xxh3_64_intdigest(data)


def test_one_that_is_missing_broken_or_of_another_version_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match="not built"):
        library.load(tmp_path / "nothing.so")
    (tmp_path / "broken.so").write_bytes(b"no library")
    with pytest.raises(Unavailable, match="does not load"):
        library.load(tmp_path / "broken.so")

    class Longer(OutletState):
        _fields_ = (("more", ctypes.c_uint64),)

    monkeypatch.setattr(library, "OutletState", Longer)
    with pytest.raises(Unavailable, match="another version"):
        library.load()


def test_without_a_compiler_an_installation_is_made_without_it(tmp_path: Path) -> None:
    places = ("--build-lib", tmp_path / "lib", "--build-temp", tmp_path / "temp")
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext", *places],
        cwd=ROOT,
        env={**os.environ, "CC": "there-is-no-such-compiler"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    assert "fast_path" in done.stdout + done.stderr
    assert not list(tmp_path.rglob("*.so"))
