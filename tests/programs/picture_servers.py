"""Other programs that serve pictures over HTTP, run for a test on a port of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.helpers.waiting import until

PATTERN = ("-re", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something does, found without a connection that might be the only one it takes."""
    wanted = f"0100007F:{port:04X}", f"00000000:{port:04X}"
    with open("/proc/net/tcp") as table:
        return any(
            line.split()[1] in wanted and line.split()[3] == "0A" for line in list(table)[1:]
        )


@contextmanager
def running(command: Sequence[str], port: int, *, ordinary: bool = False) -> Iterator[str]:
    """Run a program until it listens; yield its URL without a path. `ordinary`: not as root."""
    with tempfile.TemporaryDirectory() as home:
        user = 65534 if ordinary and os.getuid() == 0 else None
        os.chmod(home, 0o777)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
            cwd=home,
            user=user,
            group=user,
        )
        try:
            until(
                lambda: listens(port) or process.poll() is not None, what=f"{command[0]} to listen"
            )
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def ffmpeg(*output: str) -> Iterator[str]:
    """Serve a pattern to the one connection that ffmpeg takes; it ends with that."""
    port = free_port()
    target = f"http://127.0.0.1:{port}/x"
    words = ("ffmpeg", "-v", "quiet", *PATTERN, *output, "-listen", "1", target)
    with running(words, port) as url:
        yield f"{url}/x"


@contextmanager
def vlc(mime: str = "") -> Iterator[str]:
    port = free_port()
    access = f"http{{mime={mime}}}" if mime else "http"
    clip = ("ffmpeg", "-v", "error", *PATTERN[1:], "-t", "20", "-c:v", "mjpeg")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run([*clip, f"{directory}/clip.avi"], check=True, timeout=60)
        out = f"#standard{{access={access},mux=mpjpeg,dst=127.0.0.1:{port}/x}}"
        words = ("cvlc", "--intf", "dummy", "--no-audio", "--loop", f"{directory}/clip.avi")
        with running([*words, "--sout", out], port, ordinary=True) as url:
            yield f"{url}/x"


@contextmanager
def gstreamer() -> Iterator[str]:
    """Its parts over bare TCP: no HTTP at all."""
    port = free_port()
    pipeline = (
        "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=10/1 ! jpegenc ! "
        f"multipartmux boundary=endofsection ! tcpserversink host=127.0.0.1 port={port}"
    )
    with running(["gst-launch-1.0", "-q", *pipeline.split()], port) as url:
        yield url


@contextmanager
def ustreamer_without_a_camera() -> Iterator[str]:
    port = free_port()
    where = ("--host", "127.0.0.1", "--port", str(port))
    with running(["ustreamer", "--device", "/dev/no-such-camera", *where], port) as url:
        yield url


def absent(*programs: str) -> list[str]:
    return [name for name in programs if shutil.which(name) is None]
