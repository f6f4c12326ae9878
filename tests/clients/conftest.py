"""One `framebus up` with the test pattern, for all clients."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.runtimes import private_runtime
from tests.helpers.waiting import until
from tests.programs.nginx import free_port

SIZE = "640x360"


@pytest.fixture(scope="package")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a web tier that shows the test pattern, at 30 frames a second."""
    output = tmp_path_factory.mktemp("served") / "output"
    with private_runtime(), output.open("w") as out:
        up = subprocess.Popen(
            [
                *(sys.executable, "-m", "framebus", "up", "--source", "test", "--size", SIZE),
                *("--bind", f"127.0.0.1:{free_port()}"),
            ],
            stdout=out,
        )
        try:
            address = until(lambda: _address(output), within_s=50, what="it says where it is")
            until(lambda: shows(address, SIZE), within_s=50, what="frames are fresh")
            yield address
        finally:
            up.terminate()
            up.wait(30)


def shows(address: str, size: str) -> bool:
    """Whether frames of that size, and no older than they should be, are served there."""
    with urllib.request.urlopen(f"{address}/state", timeout=30) as response:
        told = json.load(response)["result"]["source"]
    resolution = told["resolution"]
    return told["online"] is True and f"{resolution['width']}x{resolution['height']}" == size


def _address(output: Path) -> str:
    found = re.search(r"at (http://\S+)/\n", output.read_text())
    return found[1] if found else ""
