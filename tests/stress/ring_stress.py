"""Readers against a flat-out writer on a small ring: `python -m tests.stress.ring_stress --help`.

One writer process publishes as fast as it can. Reader processes read the newest frame, and every
third time one from history, and check each accepted frame against what its sequence says it must
hold: a payload proves itself without the ring's CHECK. The parent stops readers with SIGSTOP at
random, in the middle of whatever they do, and continues them.

    outcome    is
    accepted   the payload is exactly what was published under this sequence
    lapped     the reader was told FrameGone
    corrupt    anything else: forbidden
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from framebus.errors import FrameGone
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter

from tests.helpers.segments import remove_segments

_TABLE = bytes(range(251)) * 80  # 251 is prime: a shift by any sequence is seen
_LARGEST = layout.SMALLEST_CAPACITY // layout.LARGEST_FRAME_SHARE


def payload(sequence: int) -> bytes:
    """Return what frame `sequence` must hold: its length and every byte follow from it."""
    length = 1 + sequence * 7919 % (_LARGEST - 1)
    shift = sequence % 251
    return _TABLE[shift : shift + length]


def is_right(frame: Frame) -> bool:
    """Tell whether a frame, metadata included, is the one published under its sequence."""
    return (
        frame.jpeg == payload(frame.sequence)
        and frame.captured_ns == frame.sequence * 3
        and frame.device_sequence == frame.sequence ^ 0xFFFF
    )


@dataclass
class Outcome:
    """One reader's counts."""

    accepted: int = 0
    lapped: int = 0
    corrupt: int = 0

    @property
    def reads(self) -> int:
        return self.accepted + self.lapped + self.corrupt


def write(names: CameraNames) -> None:
    """Publish for ever; ended by a signal."""
    writer = RingWriter.create(names, capacity=layout.SMALLEST_CAPACITY)
    while True:
        sequence = writer.cursor + 1
        writer.publish(
            payload(sequence),
            captured_ns=sequence * 3,
            captured_utc_ns=sequence,
            device_sequence=sequence ^ 0xFFFF,
        )


def read(names: CameraNames, reads: int) -> Outcome:
    """Read `reads` times and judge each."""
    ring = RingReader.attach(names)
    outcome, number = Outcome(), 0
    while outcome.reads < reads:
        number += 1
        wanted = ring.cursor
        if number % 3 == 0:
            wanted -= number % ring.geometry.count
        try:
            frame = ring.read(wanted)
        except FrameGone:
            outcome.lapped += 1
            continue
        if frame.sequence == wanted and is_right(frame):
            outcome.accepted += 1
        else:
            outcome.corrupt += 1
    ring.close()
    return outcome


def _spawn(names: CameraNames, *role: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.stress.ring_stress", *role]
    environ = {**os.environ, "FRAMEBUS_RUNTIME_DIR": str(names.runtime)}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def run(*, readers: int, reads: int, seed: int) -> list[Outcome]:
    """Run one writer and `readers` readers of `reads` reads each, and return their outcomes."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="fb-") as runtime:
        names = CameraNames(Path(runtime))
        writer = _spawn(names, "write")
        children: list[subprocess.Popen[str]] = []
        try:
            while not names.ring_file.exists():
                time.sleep(0.01)
            children = [_spawn(names, "read", "--reads", str(reads)) for _ in range(readers)]
            while any(child.poll() is None for child in children):
                running = [child for child in children if child.poll() is None]
                child = chance.choice(running) if running else children[0]
                child.send_signal(signal.SIGSTOP)
                time.sleep(chance.uniform(0.0, 0.02))
                child.send_signal(signal.SIGCONT)
                time.sleep(chance.uniform(0.0, 0.05))
            return [Outcome(**json.loads(child.communicate()[0])) for child in children]
        finally:
            for process in [*children, writer]:
                process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()
            remove_segments(names)


def main() -> None:
    """Parse the command line and play the role it names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("role", choices=["run", "write", "read"], nargs="?", default="run")
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--reads", type=int, default=2_500_000, help="reads of each reader")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.role == "run":
        started = time.monotonic()
        outcomes = run(readers=options.readers, reads=options.reads, seed=options.seed)
        total = {
            name: sum(getattr(one, name) for one in outcomes)
            for name in ("reads", "accepted", "lapped", "corrupt")
        }
        print(json.dumps({**total, "seconds": round(time.monotonic() - started, 1)}))
        sys.exit(1 if total["corrupt"] else 0)
    names = CameraNames(Path(os.environ["FRAMEBUS_RUNTIME_DIR"]))
    if options.role == "write":
        write(names)
    print(json.dumps(asdict(read(names, options.reads))))


if __name__ == "__main__":
    main()
