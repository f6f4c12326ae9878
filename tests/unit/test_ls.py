"""What `framebus ls` says of cameras that other runtime directories have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from framebus.cli.ls import hints
from framebus.running import RunningCamera, RuntimeDirectory


def directories(count: int) -> list[RuntimeDirectory]:
    camera = (RunningCamera("front", 1),)
    return [
        RuntimeDirectory(Path(f"/run/other/{number}"), os.geteuid(), 0, 0o750, True, camera)
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (3, 3), (4, 4), (250, 4)])
def test_however_many_directories_there_are_a_few_are_explained(count: int, lines: int) -> None:
    said = list(hints(directories(count)))
    assert len(said) == lines
    assert all("/run/other/0" in line for line in said[:1])
    assert all(f"{count - 3} more" in line for line in said[3:])
