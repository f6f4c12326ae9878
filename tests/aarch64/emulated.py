"""Loaded by pytest where it runs emulated: what tests start there runs emulated too."""

from __future__ import annotations

import os
import sys

from tests.aarch64.tree import PROGRAM

sys.executable = os.environ[PROGRAM]
