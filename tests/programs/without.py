"""Programs of this Python to which some packages are not installed."""

from __future__ import annotations

import os
from pathlib import Path

_WITHOUT = """
import os, sys

HIDDEN = set(os.environ["WITHOUT"].split(","))

class Without:
    def __init__(self, finder):
        self._finder = finder
    def __getattr__(self, name):
        return getattr(self._finder, name)
    def find_spec(self, name, *rest):
        if name.partition(".")[0] not in HIDDEN:
            return self._finder.find_spec(name, *rest)
    def find_distributions(self, context):
        if context.name not in HIDDEN and hasattr(self._finder, "find_distributions"):
            return self._finder.find_distributions(context)
        return ()

sys.meta_path[:] = map(Without, sys.meta_path)
"""
"""A sitecustomize module: this Python, and those that it starts, finds nothing of these names."""


def without(folder: Path, *names: str) -> dict[str, str]:
    """Return the environment in which modules and packages of these names are not there.

    What it takes is written into `folder`.
    """
    (folder / "sitecustomize.py").write_text(_WITHOUT)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"PYTHONPATH": path, "WITHOUT": ",".join(names)}
