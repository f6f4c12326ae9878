"""ffmpeg and VLC as docs/clients.md has them serve, and a framebus whose camera they are."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import page
from tests.clients.checks import need, serves
from tests.clients.conftest import SIZE
from tests.programs.nginx import free_port

pytestmark = pytest.mark.slow

CAMERA = "v4l2:///dev/video0:chroma=mjpg"
"""What the page has VLC read; here it plays a file in its place."""
CLIP_S = 60


@pytest.fixture
def clip() -> Iterator[str]:
    """A file of pictures from a camera, for everybody to read, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="clip-") as directory:
        Path(directory).chmod(0o755)
        pattern = f"testsrc2=size={SIZE}:rate=15:duration={CLIP_S}"
        file = f"{directory}/clip.avi"
        words = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", pattern, "-c:v", "mjpeg", file]
        need(words)
        subprocess.run(words, check=True, timeout=50)
        yield file


@pytest.mark.parametrize("command", page.commands(servers=True))
def test_framebus_reads_what_a_program_of_the_page_serves(
    base: str, tmp_path: Path, runtime: Path, clip: str, command: str
) -> None:
    port = free_port()
    text = re.sub(r"127\.0\.0\.1:808[23]", f"127.0.0.1:{port}", command)
    words = [word.replace(CAMERA, clip) for word in page.words(text, base)]
    need(words)
    nobody = pwd.getpwnam("nobody") if os.getuid() == 0 else None  # VLC does not run as root
    server = subprocess.Popen(
        words,
        env={**os.environ, "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=nobody.pw_uid if nobody else None,
        group=nobody.pw_gid if nobody else None,
    )
    try:
        # Not asked first whether it listens: ffmpeg would take that for its one client.
        source = f"http://127.0.0.1:{port}/stream"
        reader = ["framebus", "up", "--bind", "127.0.0.1:8081", "--source", source]
        serves(reader, tmp_path, runtime)
    finally:
        server.kill()
        server.wait()
