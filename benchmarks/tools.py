"""What the benchmark needs on the machine: its own C programs, compiled, and clips, made once.

Everything lands in one directory (out/bench by default) and is made again when its source is newer.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchError

_SOURCES = Path(__file__).parent
_CLIP_FRAMES = 30


@dataclass(frozen=True, slots=True)
class Size:
    """A frame size, pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> Size:
        """Return the size that `WIDTHxHEIGHT` means. Raises BenchError for anything else."""
        width, _, height = text.partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            raise BenchError(f"{text!r} is no frame size: write it as 1280x720")
        return cls(int(width), int(height))


def program(name: str, directory: Path) -> Path:
    """Return the compiled `name`.c; BenchError when there is no compiler or it refuses."""
    return _compile(directory / name, f"{name}.c", [])


def library(name: str, directory: Path) -> Path:
    """Return the compiled `name`.c as a library for LD_PRELOAD; BenchError as for `program`."""
    return _compile(directory / f"{name}.so", f"{name}.c", ["-shared", "-fPIC", "-ldl"])


def clip(size: Size, directory: Path) -> Path:
    """Return a clip of this size: one second of noisy, moving pictures, JPEGs one after another.

    The noise is there because a clean test card compresses far better than any camera's picture.
    No Huffman optimisation: cameras use the standard tables.

    Raises:
        BenchError: ffmpeg is missing, or failed.
    """
    made = directory / f"clip-{size}.mjpeg"
    if not made.exists():
        picture = f"testsrc2=size={size}:rate={_CLIP_FRAMES},noise=alls=12:allf=t"
        draft = made.with_suffix(".draft")
        _run(
            [
                *("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture),
                *("-frames:v", str(_CLIP_FRAMES), "-c:v", "mjpeg", "-huffman", "default"),
                *("-q:v", "6", "-f", "mjpeg", str(draft)),
            ],
            remedy="install ffmpeg (apt install ffmpeg)",
        )
        draft.rename(made)
    return made


def mean_frame_bytes(clip_path: Path) -> int:
    """Return the mean length of a clip's frames, bytes."""
    data = clip_path.read_bytes()
    return len(data) // (data.count(b"\xff\xd9\xff\xd8") + 1)


def _compile(target: Path, source: str, options: Sequence[str]) -> Path:
    sources = [_SOURCES / source, *_SOURCES.glob("*.h")]
    newest = max(path.stat().st_mtime for path in sources)
    if not target.exists() or target.stat().st_mtime < newest:
        draft = target.with_suffix(".draft")
        _run(
            ["cc", "-O2", "-o", str(draft), str(_SOURCES / source), *options],
            remedy="install a C compiler (apt install gcc libc6-dev)",
        )
        draft.rename(target)
    return target


def _run(arguments: Sequence[str], *, remedy: str) -> None:
    if not shutil.which(arguments[0]):
        raise BenchError(f"{arguments[0]} is not here: {remedy}")
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-400:]
        raise BenchError(f"{arguments[0]} failed ({said}): {remedy}, or update it")
