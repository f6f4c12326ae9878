"""The daemon's main thread touches its mailbox and sockets, and no path: any of them may hang."""

from __future__ import annotations

import builtins
import io
import os
import pwd
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus.contract.methods import METHODS
from framebus.control.protocol import NOT_NOW
from framebus.errors import CommandRefused

from tests.contract.daemon_bench import Bench
from tests.contract.stubborn import StubbornSource, running_over, until_described
from tests.helpers.waiting import until

DEAD = "/dead-nfs"
TOUCHES = [
    *((os, name) for name in ("access", "listdir", "lstat", "open", "readlink", "scandir", "stat")),
    *((os, name) for name in ("statvfs", "unlink")),
    (pwd, "getpwnam"),
    (builtins, "open"),
    (io, "open"),
]
"""What leads to a file system, or to a directory of users."""
MAIN = "main loop"
CALLS: dict[str, list[dict[str, object]]] = {
    "configure": [
        {"source": f"file:{DEAD}/a.mjpeg"},
        {"fallback": f"file:{DEAD}/a.mjpeg"},
        {"source": "file:~nobody-of-that-name/a.mjpeg"},
        {"source": f"ffmpeg:{DEAD}/a.avi"},
        {"source": "ffmpeg:~nobody-of-that-name/a.avi"},
        {"source": "v4l2:/dev/v4l/by-id/usb-absent-video-index0"},
        {"fallback": "v4l2:usb:1209:0001:absent"},
        {"source": "auto"},
        {"size": "320x240", "fps": 5},
        {"source": "test", "fallback": None},
    ],
    "reset": [{"rung": "usb-reset"}],
    "set_controls": [{"gain": 3}],
    "lend": [{"seconds": 5}],
    "give_back": [{"lease": "7a"}],
}


class FileSystems:
    """Notes which thread touches what; what lies under DEAD answers only when the test lets it."""

    def __init__(self) -> None:
        self.touched: Counter[tuple[str, str]] = Counter()
        self.answers = threading.Event()
        self.answers.set()

    def watched(self, name: str, touch: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.touched[threading.current_thread().name, name] += 1
            if args and DEAD in str(args[0]):
                self.answers.wait()
            return touch(*args, **kwargs)

        return watched


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    with running_over(runtime, StubbornSource()) as bench:
        yield bench


@pytest.fixture
def file_systems(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileSystems]:
    """Watched while the daemon runs: at its start and end it does touch files."""
    until_described(bench)
    assert MAIN in {thread.name for thread in threading.enumerate()}
    watch = FileSystems()
    with monkeypatch.context() as patch:
        for module, name in TOUCHES:
            patch.setattr(module, name, watch.watched(name, getattr(module, name)))
        yield watch
        watch.answers.set()


def call(bench: Bench, method: str, params: dict[str, object]) -> int | None:
    """Make a call; return the code of its refusal, None for none."""
    try:
        bench.client.call(method, params)
    except CommandRefused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("method", METHODS.keys() - {"renew", "shutdown"})
def test_no_method_touches_a_path_in_the_main_thread(
    bench: Bench, file_systems: FileSystems, method: str
) -> None:
    for params in CALLS.get(method, [{}]):
        assert bench.call("status")
        call(bench, method, params)
    mine = [name for thread, name in file_systems.touched if thread == MAIN]
    assert not mine


def test_the_daemons_own_files_are_looked_after_by_another_thread(
    bench: Bench, file_systems: FileSystems
) -> None:
    until(lambda: any(thread == "diagnostics" for thread, _ in file_systems.touched))
    assert not [name for thread, name in file_systems.touched if thread == MAIN]


@pytest.mark.parametrize("key", ["source", "fallback"])
def test_a_path_that_hangs_is_refused_in_time_and_changes_nothing(
    bench: Bench, file_systems: FileSystems, key: str
) -> None:
    file_systems.answers.clear()
    for number in range(2):
        params: dict[str, object] = {key: f"file:{DEAD}/{number}.mjpeg"}
        assert call(bench, "configure", params) == NOT_NOW
        assert bench.call("status")["state"] == "streaming"
    assert bench.call("configure", fps=5)["source"] == "test"
    file_systems.answers.set()
    assert bench.call("configure", size="320x240")["fallback"] is None
