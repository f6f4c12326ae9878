"""The program that `framebus up` becomes: how its parts are told, and that it is small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import framebus
from framebus.cli.part import Part, packed, unpacked

HEAVY = (
    "asyncio",
    "capture_daemon",
    "click",
    "dataclasses",
    "email",
    "framebus.frame",
    "importlib.metadata",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "re",
    "site",
    "subprocess",
    "tempfile",
    "threading",
    "typing",
    "web_workers",
    "zmq",
)


def test_parts_come_through_whole() -> None:
    parts = [
        Part(
            "capture",
            ["/bin/x", "--flag", "a=b", "two\nlines", "", "caf\udce9"],
            environ={"SECRET": "a=b\n", "EMPTY": "", "NOT": None},
            keeps="/tmp",
            retried=frozenset({73, 75}),
        ),
        Part("web", ["/bin/y"]),
    ]
    told = unpacked(packed(parts))
    assert [vars(part) for part in told] == [vars(part) for part in parts]


def test_a_variable_that_a_part_must_not_have_is_left_out() -> None:
    part = Part("x", ["x"], environ={"SECRET": None, "ITS": "own"})
    assert part.environment({"SECRET": "s", "ALL": "have"}) == {"ALL": "have", "ITS": "own"}


def test_it_imports_nothing_heavy() -> None:
    root = Path(framebus.__file__).parents[1]
    look = (
        "import sys; sys.path.append(sys.argv[1]); "
        "import framebus.cli.supervise; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", look, root],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "framebus.cli.supervisor" in done.stdout.split()
    assert set(HEAVY) & set(done.stdout.split()) == set()
