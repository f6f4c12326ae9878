"""The same frames by the pump and by Python alone: a difference is a bug in one of them.

    python -m tests.fuzz.pump SEED COUNT [LIBRARY]

Frames of all sizes, in order and not, told of one by one, several at once, falsely or not at all;
viewers that come, leave, and do not read. What each got, and what was counted, is compared after
each step. Prints how many frames the pump took.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement
from framebus.zmtp.wire import message

from tests.rigs.pumped_feed import Bench, Client, CountingPump, patience
from web_workers.counts.worker_counts import AGE, AGE_NS, Key
from web_workers.native.library import PATH

CLIENTS_MAX = 6
_Got = list[tuple[tuple[tuple[str, str], ...], bytes]]


class Sides:
    """Both, which are told the same."""

    def __init__(self, runtimes: tuple[Path, Path], library: Path) -> None:
        self.pump = CountingPump(library)
        self.benches = (Bench(runtimes[0], self.pump), Bench(runtimes[1], None))
        self.now_ns = 0

    def each(self, do: Callable[[Bench], object]) -> None:
        for bench in self.benches:
            do(bench)

    def publish(self, data: bytes, flags: FrameFlags, *, later_ns: int) -> list[Announcement]:
        if later_ns:
            self.now_ns = max(self.now_ns + later_ns, time.monotonic_ns())
        return [
            bench.bus.writer.publish(
                data, captured_ns=self.now_ns, captured_utc_ns=self.now_ns, flags=flags
            )
            for bench in self.benches
        ]

    def tell(self, announcements: list[Announcement]) -> None:
        for bench, announcement in zip(self.benches, announcements, strict=True):
            bench.bus.notifier.announce(announcement)

    def close(self) -> None:
        self.each(Bench.close)


def compare(runtimes: tuple[Path, Path], seed: int, count: int, library: Path = PATH) -> int:
    """Take so many steps; raise AssertionError at the first difference."""
    chance = random.Random(seed)
    with patience(), closing(Sides(runtimes, library)) as sides:
        sides.each(lambda bench: bench.clients_in_step())
        first = max(bench.bus.writer.cursor for bench in sides.benches)
        for bench in sides.benches:  # their handshakes took one more frame or one less
            while bench.bus.writer.cursor < first:
                bench.publish(b"usual")
        _settle(sides, chance)
        sides.each(_got)
        begun = [_counts(bench) for bench in sides.benches]
        for step in range(count):
            _step(sides, chance)
            _settle(sides, chance)
            ours, theirs = sides.benches
            assert _got(ours) == _got(theirs), f"step {step} of seed {seed}"
            now = [_counts(bench) for bench in sides.benches]
            grown = [a - b for a, b in zip(now, begun, strict=True)]
            assert grown[0] == grown[1], f"step {step} of seed {seed}"
        return sides.pump.pumped


def _step(sides: Sides, chance: random.Random) -> None:
    kind = chance.random()
    if kind < 0.05:
        _come(sides, slow=chance.random() < 0.3)
    elif kind < 0.08:
        _leave(sides, chance)
    elif kind < 0.1:
        text = message(*[chance.randbytes(chance.choice((0, 136, 200)))] * chance.choice((1, 2)))
        sides.each(lambda bench: [peer.send(text, 0) for peer in bench.bus.notifier._subscribers])
    else:
        for _ in range(chance.choice((1, 1, 1, 1, 1, 1, 2, 5))):
            _frame(sides, chance)


def _frame(sides: Sides, chance: random.Random) -> None:
    data = chance.randbytes(chance.choice((0, 1, 100, 5_000, 5_000, 40_000, 200_000)))
    flags = FrameFlags.FALLBACK if chance.random() < 0.05 else FrameFlags.NONE
    later_ns = 0 if chance.random() < 0.05 else 1_000
    announcements = sides.publish(data, flags, later_ns=later_ns)
    kind = chance.random()
    if kind < 0.05:
        return  # nobody is told
    if kind < 0.15:
        field = chance.choice(announcements[0].descriptor._fields)
        value = chance.choice((0, 1, chance.getrandbits(20), 1 << 62, (1 << 64) - 1))
        announcements = [
            each._replace(descriptor=each.descriptor._replace(**{field: value}))
            for each in announcements
        ]
    sides.tell(announcements)


def _come(sides: Sides, *, slow: bool) -> None:
    if len(sides.benches[0].feed.fanout.viewers) < CLIENTS_MAX:
        size = 4096 if slow else 0
        sides.each(lambda bench: bench.clients.append(Client(bench, send_buffer=size)))


def _leave(sides: Sides, chance: random.Random) -> None:
    number = chance.randrange(len(sides.benches[0].clients))
    if len(sides.benches[0].feed.fanout.viewers) > 1:
        sides.each(lambda bench: bench.clients[number].socket.close())


def _settle(sides: Sides, chance: random.Random) -> None:
    """Have done what is to be done, and in the end a frame that all know of; all read all."""
    for _ in range(2):
        sides.each(Bench.turn)
    sides.tell(sides.publish(chance.randbytes(50), FrameFlags.NONE, later_ns=1_000))
    for bench in sides.benches:

        def all_read(bench: Bench = bench) -> bool:
            for client in bench.clients:
                if client.socket.fileno() >= 0:
                    client.read()
            busy = any(viewer.rest is not None for viewer in bench.feed.fanout.viewers)
            return not busy and bench.taken == bench.bus.writer.cursor

        bench.until(all_read)


def _got(bench: Bench) -> list[_Got]:
    got = []
    for client in bench.clients:
        got.append([(tuple(part.headers.items()), part.body) for part in client.parts])
        client.parts.clear()
    return got


def _counts(bench: Bench) -> Counter[Key]:
    """All that is counted, but for how old frames were: how many of them had an age."""
    counts = Counter(bench.feed.fanout.worker_counts().counts)
    for key in [key for key in counts if key[0] in (AGE, AGE_NS)]:
        del counts[key]
    counts[(AGE,)] = bench.aged()
    return counts


def main() -> None:
    """Compare, as the command line says."""
    seed, count, *library = sys.argv[1:]
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        runtimes = (Path(first), Path(second))
        print(compare(runtimes, int(seed), int(count), *map(Path, library)))


if __name__ == "__main__":
    main()
