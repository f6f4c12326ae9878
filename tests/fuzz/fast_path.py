"""The same frames by the fast path and by the slow one alone: a difference is a bug in one of them.

    python -m tests.fuzz.fast_path SEED COUNT [LIBRARY]

Frames are whole or damaged, of one header or another, in order or not, from the camera or from its
fallback. What came of each is compared after each. Prints how many the fast path took.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from framebus.contract.words import Rejection
from framebus.errors import FrameGone
from framebus.frame import FrameFlags

from capture_daemon.native import library
from capture_daemon.native.library import Library
from capture_daemon.sources.base import Captured, Granted
from tests.rigs.frame_path import FramePath
from tests.samples.small_jpeg import DHT, EOI, SOF, SOI, SOS

_OTHER_SIZE = b"\xff\xc0\x00\x0b\x08\x00\x30\x00\x50\x01\x01\x11\x00"
_COMMENT = b"\xff\xfe\x00\x06abcd"
HEADERS = (SOI + SOF + DHT + SOS, SOI + _OTHER_SIZE + DHT + SOS, SOI + SOF + SOS)
ENDS = (EOI, EOI + bytes(5), EOI + b"\r\n", EOI + bytes(300), _COMMENT + EOI, b"", b"\xff", EOI * 2)
START_NS = 1_000_000_000
TOO_LONG = 20_000
"""Bytes that the smallest ring does not take."""


class Step(NamedTuple):
    """One thing that happens."""

    who: int
    captured: Captured | None
    granted: Granted | None = None
    settles: bool = False
    shown: bool | None = None
    limit: float | None = None
    """Frames a second that are let through; 0: all."""


def steps(seed: int, count: int) -> Iterator[Step]:
    """Return what happens, the same for the same seed."""
    chance = random.Random(seed)
    sequences, last = [1, 1], b""
    now_ns = START_NS
    for who in (0, 1):
        yield Step(who, None, granted=Granted("MJPG", 64, 32, 25.0))
        yield Step(who, None, settles=True)
    for _ in range(count):
        who = int(chance.random() < 0.2)
        now_ns += chance.choice((1_000_000, 40_000_000))
        match chance.random():
            case r if r < 0.01:
                granted = chance.choice((Granted("MJPG", 0, 0, 0.0), Granted("MJPG", 64, 32, 25.0)))
                yield Step(who, None, granted=granted)
                yield Step(who, None, settles=True)
                continue
            case r if r < 0.04:
                yield Step(0, None, shown=chance.random() < 0.5)
                continue
            case r if r < 0.06:
                yield Step(who, None, limit=chance.choice((0.0, 0.0, 1.0, 5.0)))
                continue
        sequences[who] += chance.choice((1, 1, 1, 1, 1, 3, 0, -2))
        if chance.random() > 0.1 or not last:
            last = _picture(chance)
        yield Step(who, _captured(chance, last, now_ns, max(0, sequences[who])))


def _picture(chance: random.Random) -> bytes:
    header = HEADERS[0] if chance.random() < 0.8 else chance.choice(HEADERS)
    length = chance.choice((100, 101, chance.randrange(20, 400)))
    length = TOO_LONG if chance.random() < 0.02 else length
    body = chance.randbytes(length).replace(b"\xff", b"\xfe")
    end = EOI if chance.random() < 0.7 else chance.choice(ENDS)
    picture = header + body + end
    match chance.random():
        case r if r < 0.02:
            return b""
        case r if r < 0.04:
            return b"\r\n" + picture
        case r if r < 0.06:
            return picture[: chance.randrange(len(picture))]
        case r if r < 0.08:
            return picture[: len(picture) // 2] + picture
    return picture


def _captured(chance: random.Random, picture: bytes, now_ns: int, sequence: int) -> Captured:
    data = chance.choice((bytes, memoryview, lambda p: memoryview(bytearray(p))))(picture)
    reject: Rejection | None = "stale" if chance.random() < 0.02 else None
    size = (64, 32) if chance.random() < 0.05 else (0, 0)
    return Captured(
        data,
        now_ns - chance.choice((0, 0, 0, 0, 0, 5_000_000, 100_000_000)),
        sequence,
        faulty=chance.random() < 0.02,
        flags=FrameFlags.ENCODED if chance.random() < 0.05 else FrameFlags.NONE,
        width=size[0],
        height=size[1],
        reject=reject or "",
    )


def outcomes(path: FramePath, all_steps: Sequence[Step]) -> Iterator[object]:
    """Take the steps; yield what came of each, all that a reader or a person can know of it."""
    subscribers = [path.subscribe(), path.subscribe()]
    now_ns = START_NS
    for step in all_steps:
        publisher = path.publishers[step.who]
        valid = None
        if step.granted is not None:
            publisher.begin(step.granted)
        elif step.settles:
            publisher.settled()
        elif step.shown is not None:
            path.switcher.show_fallback(step.shown)
        elif step.limit is not None:
            path.gates[step.who].limit(step.limit or None)
        elif step.captured is not None:
            valid = publisher.take(step.captured)
            now_ns = max(now_ns, step.captured.captured_ns)
        heard = [path.announced(each.heard()) for each in subscribers]
        assert heard[0] == heard[1]
        yield (
            valid,
            heard[0],
            path.reader.interval_ns,
            path.reader.claimed,
            [(c.counts(now_ns), c.rate(), c.rejected_since()) for c in path.counters],
            [(p.freeze_detector.since_ns, p.width, p.height, p.too_large) for p in path.publishers],
            [each.state.suspect for each in path.inputs],
            _newest(path),
        )


def _newest(path: FramePath) -> object:
    try:
        frame = path.reader.newest()
    except FrameGone:
        return None
    if frame is None:
        return None
    assert frame.published_ns >= 0
    return (
        frame.sequence,
        frame.jpeg,
        frame.captured_ns,
        frame.device_sequence,
        (frame.width, frame.height),
        frame.flags,
    )


def compare(folder: Path, loaded: Library, seed: int, count: int) -> int:
    """Raise AssertionError at the first difference; return how many took the fast path."""
    found, all_steps = [], list(steps(seed, count))
    taken = 0
    for name, with_library in (("slow", None), ("fast", loaded)):
        runtime = folder / f"{name}-{seed}"
        runtime.mkdir(mode=0o750)
        with closing(FramePath(runtime, with_library)) as path:
            found.append(list(outcomes(path, all_steps)))
            taken = path.taken
    for step, slow, fast in zip(all_steps, *found, strict=True):
        assert slow == fast, f"seed {seed}: {step}\nslow {slow}\nfast {fast}"
    return taken


if __name__ == "__main__":
    _library = library.load(Path(sys.argv[3])) if len(sys.argv) > 3 else library.load()
    with tempfile.TemporaryDirectory() as _folder:
        print(compare(Path(_folder), _library, int(sys.argv[1]), int(sys.argv[2])))
