"""How many descriptors a worker may have: each viewer is one."""

from __future__ import annotations

import resource


def raise_descriptor_limit() -> None:
    """Raise this process's soft limit of open files to its hard limit, which needs no right."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
