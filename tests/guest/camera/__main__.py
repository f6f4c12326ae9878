"""Cameras for one command, inside the guest: `python -m tests.guest.camera MODEL … -- COMMAND …`.

The cameras are called camera0, camera1, …, with serial numbers FB0001, FB0002, …. The command
finds their nodes in CAMERA0, CAMERA1, …, and its exit status is passed on.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.guest.camera.client import Bench
from tests.guest.camera.model import MODELS


def main() -> int:
    """Plug, run, unplug."""
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    models, command = sys.argv[1:split], sys.argv[split + 1 :]
    unknown = set(models) - set(MODELS)
    if unknown or not command:
        sys.stderr.write(f"{__doc__}\nModels: {', '.join(MODELS)}\n")
        return 64
    with Bench() as bench:
        nodes = {}
        for number, model in enumerate(models):
            camera = bench.plug(f"camera{number}", model, serial=f"FB{number + 1:04}")
            nodes[f"CAMERA{number}"] = str(camera.wait_node())
        return subprocess.run(command, env={**os.environ, **nodes}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
