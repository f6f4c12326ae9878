"""What nobody should send or do to the daemon, and a source that never lets go."""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq
from framebus.names import endpoint

from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context
from tests.programs.daemon import DaemonProcess

SMALL = ("--source", "test", "--size", "160x120", "--ring-size", "4M")

HANGING = """
import runpy, threading
from capture_daemon.settings import spec
from capture_daemon.sources.base import Granted

class Hanging:
    def open(self):
        return Granted("MJPG", 64, 32, 30.0)
    def read(self, timeout_s):
        threading.Event().wait()  # as an ioctl that never returns
    def close(self):
        pass

spec.build = lambda *_: Hanging()
runpy.run_module("capture_daemon", run_name="__main__")
"""


GREETINGS = (
    b"",  # ZMTP 1.0, without a version
    b"\xff" + bytes(8) + b"\x7f\x00",  # ZMTP 1.0
    b"\xff" + bytes(8) + b"\x7f\x01\x05",  # ZMTP 2.0
    b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48),  # ZMTP 3.1
)


def pester(path: Path, times: int, chance: random.Random) -> None:
    """Connect, greet in one way or another, send random bytes, hang up; `times` times."""
    for number in range(times):
        with socket.socket(socket.AF_UNIX) as raw:
            try:
                raw.connect(str(path))
                raw.sendall(GREETINGS[number % 4] + chance.randbytes(chance.randrange(1, 300)))
            except OSError:
                continue  # it hung up first, or is gone: right so


@pytest.mark.parametrize("which", ["control", "frames", "events"])
def test_two_thousand_raw_connections_of_random_bytes_change_nothing(
    runtime: Path, which: str
) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        published = daemon.until_state("streaming")["frames"]["published"]
        pester(runtime / f"camera.{which}", 2000, random.Random(7))
        status = daemon.until_state("streaming")
        assert status["frames"]["published"] > published


def test_it_ends_cleanly_in_the_midst_of_raw_connections(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        daemon.until_state("streaming")
        stop = threading.Event()

        def go_on(path: Path) -> None:
            while not stop.is_set():
                pester(path, 50, random.Random(5))

        paths = (daemon.names.control_socket, daemon.names.frames_socket)
        pests = [threading.Thread(target=go_on, args=(path,)) for path in paths]
        for pest in pests:
            pest.start()
        try:
            until(lambda: daemon.status()["frames"]["published"] > 30)
            daemon.process.terminate()
            assert daemon.ended() == 0
            assert daemon.left_behind() == []
        finally:
            stop.set()
            for pest in pests:
                pest.join()


def test_five_hundred_connections_that_say_nothing_keep_nobody_out(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon, ExitStack() as stack:
        daemon.until_state("streaming")
        for _ in range(500):
            raw = stack.enter_context(socket.socket(socket.AF_UNIX))
            raw.connect(str(daemon.names.control_socket))
        daemon.until_state("streaming")


def test_a_flood_of_garbage_messages_is_counted_and_frames_go_on(runtime: Path) -> None:
    chance = random.Random(11)
    context = own_context()
    with DaemonProcess(runtime, *SMALL) as daemon:
        published = daemon.until_state("streaming")["frames"]["published"]
        peer = context.socket(zmq.DEALER)
        peer.linger = 0
        peer.connect(endpoint(daemon.names.control_socket))
        try:
            for number in range(5000):
                peer.send(chance.randbytes(chance.randrange(2000)))
                if number % 50 == 0:
                    peer.send_multipart([b"", b"{}", b"x", b"y"])
        finally:
            peer.close(linger=5000)
            context.term()
        status = until(lambda: counted(daemon, 4000))
        assert status["control"]["dropped"]["parts"] > 50
        assert status["frames"]["published"] > published


def counted(daemon: DaemonProcess, least: int) -> dict[str, dict[str, dict[str, int]]]:
    status = daemon.status()
    return status if status["control"]["dropped"].get("malformed", 0) >= least else {}


@pytest.mark.slow
def test_a_source_that_never_lets_go_is_left_behind_within_the_time(runtime: Path) -> None:
    hanging = (sys.executable, "-c", HANGING)
    with DaemonProcess(runtime, *SMALL, command=hanging) as daemon:
        until(lambda: daemon.status().get("state") == "opening")
        until(lambda: (daemon.status().get("cause") or {}).get("code") == "not-answering")
        daemon.process.terminate()
        assert daemon.ended() == os.EX_IOERR
        assert "without a clean end" in daemon.log()
        assert daemon.left_behind() == []
        with DaemonProcess(runtime, *SMALL) as successor:
            successor.until_state("streaming")
