"""A source that is away, and what viewers see instead: a real daemon, web tier, viewer, server."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mjpeg_server import MULTIPART, Visit, part, serving
from tests.helpers.multipart import Part
from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import Stream, WebTier
from tests.samples.pictures import jpeg

WITHIN_S = 40.0
"""The ladder's waits are under 10 s each; the rest is for a busy machine."""


def is_fallback(picture: Part) -> bool:
    return picture.headers.get("X-Fallback") == "true"


def endless(visit: Visit) -> None:
    """Some 20 frames a second, until the test is over."""
    visit.send(MULTIPART)
    while not visit.stopping.wait(0.05):
        visit.send(part(jpeg()))


@contextmanager
def reserved_port() -> Iterator[socket.socket]:
    """A port at which nothing listens, and which nobody else gets."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


def fallback(daemon: DaemonProcess) -> dict[str, Any]:
    told = daemon.status().get("fallback")
    return told if isinstance(told, dict) else {}


def check_counts(daemon: DaemonProcess) -> int:
    """Fail unless every frame has ended in one place; return how many were published."""
    status, published = daemon.status(), 0
    for frames in (status["frames"], status["fallback"]["frames"]):
        assert frames["captured"] == frames["published"] + sum(frames["rejected"].values())
        published += frames["published"]
    return published


def test_viewers_see_the_fallback_until_the_source_is_there_and_stay_connected(
    runtime: Path, tier: WebTier
) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(reserved_port())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/stream"
        options = ("--source", url, "--fallback-source", "test", "--size", "160x120", "--fps", "10")
        daemon = stack.enter_context(DaemonProcess(runtime, *options))
        viewer = Stream(tier.port).start()
        stack.callback(viewer.close)

        until(lambda: fallback(daemon).get("shown"), within_s=WITHIN_S, what="the fallback")
        viewer.wait(lambda: any(map(is_fallback, viewer.parts)), "the fallback")
        status = daemon.status()
        assert status["state"] in ("opening", "backoff")
        assert status["cause"]["code"] == "refused"
        assert status["source"]["spec"] == url
        assert status["fallback"]["source"]["spec"] == "test"
        assert status["frames"]["published"] == 0
        incident = status["incident"]
        assert incident
        (told,) = daemon.call("incidents")["incidents"]
        assert told["fallback_utc_ns"]
        assert told["ended_utc_ns"] is None

        stack.enter_context(serving(endless, listener=listener))
        until(lambda: daemon.status()["incident"] is None, within_s=WITHIN_S, what="its end")
        viewer.wait(lambda: not is_fallback(viewer.frames[-1]), "the source itself")
        until(lambda: fallback(daemon)["state"] == "stopped", within_s=WITHIN_S)
        assert not fallback(daemon)["shown"]
        (told,) = daemon.call("incidents")["incidents"]
        assert (told["id"], told["cured_by"]) == (incident, "reopen")
        viewer.check()  # in order, and never disconnected
        check_counts(daemon)
        daemon.call("stop")  # so that nothing is published between two looks
        until(lambda: daemon.status()["cause"]["code"] == "stopped", within_s=WITHIN_S)
        assert check_counts(daemon) == tier.json("/state")["sequence"]
        daemon.process.terminate()
        assert daemon.ended() == 0


def test_a_fallback_can_be_named_later_and_ends_with_a_stop(runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "v4l2:/dev/video-nowhere", "--fps", "10") as daemon:
        status = daemon.until_state("backoff")
        assert status["fallback"] is None
        reply = daemon.call("configure", fallback="test")
        assert (reply["fallback"], reply["changed"]) == ("test", True)
        until(lambda: fallback(daemon)["shown"], within_s=WITHIN_S)
        assert daemon.status()["cause"]["code"] == "device-absent"
        daemon.call("stop")
        until(lambda: not fallback(daemon)["shown"], within_s=WITHIN_S)
        daemon.call("start")
        until(lambda: fallback(daemon)["shown"], within_s=WITHIN_S)


def test_a_daemon_that_dies_leaves_the_fallback_on(runtime: Path) -> None:
    with reserved_port() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/stream"
        options = ("--source", url, "--fallback-source", "test", "--fps", "10")
        with DaemonProcess(runtime, *options) as daemon:
            until(lambda: fallback(daemon).get("shown"), within_s=WITHIN_S)
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
            listener.listen()  # from now on a try takes as long as the server is waited for
            with DaemonProcess(runtime, *options) as successor:
                until(lambda: fallback(successor).get("shown"), within_s=WITHIN_S)
                assert successor.status()["attempts"] < 3, "it took a lap of tries of its own"


@pytest.mark.parametrize(
    ("source", "fallback_source", "message"),
    [
        ("test", "test", "cannot be its own fallback"),
        ("test", "auto", "say which camera"),
        ("test", "telepathy", "unknown source"),
        ("v4l2:/dev/null", "v4l2:/dev/../dev/null", "is the camera itself"),
    ],
)
def test_a_fallback_that_is_none_is_wrong_usage(
    runtime: Path, source: str, fallback_source: str, message: str
) -> None:
    options = ("--source", source, "--fallback-source", fallback_source)
    with DaemonProcess(runtime, *options) as daemon:
        assert daemon.ended() == 64
        assert message in daemon.log()
        assert daemon.left_behind() == []
