"""What each route decides about access, said beside its definition. A view without one is refused.

docs/security.md has the table.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import Any

View = Callable[..., Any]


class Decision(enum.Enum):
    """Whom a route is for."""

    OPEN = "open"
    """Anybody: it tells nothing about a camera."""
    VIEW = "view"
    """Whoever may look: anybody with --view open."""
    CONTROL = "control"
    """Whoever may command: nobody with --control off."""


def decided(decision: Decision, view: View) -> View:
    """Return the view with its decision on it."""

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    wrapped.decision = decision  # type: ignore[attr-defined]  # functions take attributes
    return wrapped


def decision_of(view: View) -> Decision | None:
    """Return the decision of a view, None for one that nobody thought about."""
    found = getattr(view, "decision", None)
    return found if isinstance(found, Decision) else None
