"""The daemon as a process: one per name, a clean end, and a successor after a dirty one."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from framebus.errors import CameraAbsent
from framebus.reader import FrameReader

from tests.helpers.segments import segment
from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess

SMALL = ("--source", "test", "--size", "160x120", "--ring-size", "4M")


def test_frames_come_out_of_the_ring_and_the_sums_add_up(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        daemon.until_state("streaming")
        with FrameReader("camera", runtime=runtime) as reader:
            frames = [reader.next(30.0) for _ in range(5)]
        assert all(frame and (frame.width, frame.height) == (160, 120) for frame in frames)
        until(lambda: daemon.status()["frames"]["published"] >= 5)  # a frame is counted last
        figures = daemon.status()["frames"]
        assert figures["captured"] == figures["published"] + sum(figures["rejected"].values())


def test_a_second_daemon_of_the_name_exits_with_75_and_names_the_first(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as first:
        first.until_state("streaming")
        with DaemonProcess(runtime, *SMALL) as second:
            assert second.ended() == 75
            assert str(first.pid) in second.log()
        assert first.status()["state"] == "streaming"


def test_of_several_daemons_started_at_once_exactly_one_lives(runtime: Path) -> None:
    daemons = [DaemonProcess(runtime, *SMALL) for _ in range(3)]
    try:
        until(lambda: sum(daemon.process.poll() is not None for daemon in daemons) == 2)
        codes = sorted(daemon.process.poll() or 0 for daemon in daemons)
        assert codes == [0, 75, 75]
        assert daemons[0].call("status")["state"] in ("opening", "streaming")
    finally:
        for daemon in daemons:
            daemon.__exit__(None, None, None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_leaves_nothing(runtime: Path, number: signal.Signals) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        daemon.until_state("streaming")
        daemon.process.send_signal(number)
        assert daemon.ended() == 0
        assert daemon.left_behind() == []


def test_shutdown_is_answered_and_leaves_nothing(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        daemon.until_state("streaming")
        assert daemon.call("shutdown")["state"] == "streaming"
        assert daemon.ended() == 0
        assert daemon.left_behind() == []
        with pytest.raises(CameraAbsent):
            daemon.call("status")


def test_a_killed_daemon_is_replaced_over_what_it_left(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as first:
        epoch = first.until_state("streaming")["epoch"]
        first.process.kill()
        first.ended()
        assert segment(first.names).name in first.left_behind()
        with DaemonProcess(runtime, *SMALL) as second:
            status = second.until_state("streaming")
            assert status["epoch"] != epoch
            assert status["pid"] == second.pid
            second.process.terminate()
            assert second.ended() == 0
            assert second.left_behind() == []


def test_a_daemon_that_runs_alone_says_that_it_cannot_be_found_and_serves_who_is_there(
    runtime: Path,
) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        daemon.until_state("streaming")
        with FrameReader("camera", runtime=runtime) as reader:
            reader.next(30.0)
            daemon.names.events_socket.unlink()
            said = f"{daemon.names.events_socket} was removed"
            until(lambda: said in daemon.log())
            reader.next(30.0)
            reader.next(30.0)
            assert reader.epochs == 1
        assert daemon.log().count("was removed") == 1


def test_it_stops_starts_restarts_and_takes_a_new_size(runtime: Path) -> None:
    with DaemonProcess(runtime, *SMALL) as daemon:
        daemon.until_state("streaming")
        assert daemon.call("stop")["state"] == "stopped"
        status = daemon.until_state("stopped")
        assert status["source"]["granted"] is None
        assert daemon.call("stop")["state"] == "stopped"
        daemon.call("start")
        daemon.until_state("streaming")
        until(lambda: not daemon.call("restart")["joined"])
        assert daemon.call("configure", size="320x240", fps=10)["changed"]
        granted = until(lambda: granted_width(daemon, 320))
        assert (granted["height"], granted["fps"]) == (240, 10)


def granted_width(daemon: DaemonProcess, width: int) -> dict[str, float]:
    granted: dict[str, float] = daemon.status()["source"]["granted"] or {}
    return granted if granted.get("width") == width else {}


def test_a_file_that_is_missing_is_waited_for(runtime: Path, tmp_path: Path) -> None:
    recording = tmp_path / "recording.mjpeg"
    with DaemonProcess(runtime, *SMALL, name="maker") as maker:
        maker.until_state("streaming")
        with FrameReader("maker", runtime=runtime) as reader:
            pictures = b"".join(frame.jpeg for frame in [reader.next(30.0)] * 3 if frame)
    with DaemonProcess(runtime, "--source", f"file:{recording}", "--fps", "20") as daemon:
        status = daemon.until_state("failed", "backoff")
        assert status["source"]["spec"] == f"file:{recording}"
        assert status["cause"]["message"] == "cannot read …: No such file or directory"
        assert status["retry_utc_ns"] > status["since_utc_ns"]
        recording.write_bytes(pictures)
        until(lambda: daemon.call("start")["state"] and daemon.status()["state"] == "streaming")
        assert daemon.log().count("WARNING") == 1


def test_systemd_hears_that_it_is_ready_alive_and_stopping(runtime: Path) -> None:
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(runtime / "notify"))
        manager.settimeout(30)
        environ = {"NOTIFY_SOCKET": str(runtime / "notify"), "WATCHDOG_USEC": "400000"}
        with DaemonProcess(runtime, *SMALL, environ=environ) as daemon:
            while not {"READY=1", "WATCHDOG=1"} <= set(heard):
                heard.append(manager.recv(4096).decode())
            daemon.until_state("streaming")
            while not any("streaming 160x120 from test" in text for text in heard):
                heard.append(manager.recv(4096).decode())
            daemon.process.terminate()
            assert daemon.ended() == 0
            while "STOPPING=1" not in heard:
                heard.append(manager.recv(4096).decode())
    assert heard.index("READY=1") < heard.index("STOPPING=1")
