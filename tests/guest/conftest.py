"""Tests under inside/ are sent into a guest; where there can be none, they are left out, loudly."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from tests.guest.debian import SetupFailed
from tests.guest.guestplugin import Group, GuestFailed

INSIDE = Path(__file__).with_name("inside")
IN_GUEST = Path("/run/job/start").exists()
"""Whether this very process is in the guest."""
_GROUPS = pytest.StashKey[dict[str, Group]]()


def why_not() -> str:
    """Return why there can be no guest here; empty if there can."""
    missing = [name for name in ("qemu-system-x86_64", "setpriv") if shutil.which(name) is None]
    return f"guest tests left out: {', '.join(missing)} is missing" if missing else ""


def leave_out(reason: str) -> NoReturn:
    """Skip, and where CI=true fail: there nothing may be left out unnoticed."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _kernel_of(item: pytest.Item) -> str | None:
    """Return the kernel that a test wants; None for a test that is none of the guest's."""
    if IN_GUEST or INSIDE not in item.path.parents:
        return None
    assert isinstance(item, pytest.Function)
    return str(item.callspec.params["kernel"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if INSIDE in item.path.parents:
            item.add_marker(pytest.mark.guest)
        if _kernel_of(item) is not None:
            # The group has limits of its own; a boot takes longer than a test may.
            item.add_marker(pytest.mark.timeout(0))
    # By kernel, and after everything that is quick.
    items.sort(key=lambda item: _kernel_of(item) or "")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the groups of what is left after all options that deselect."""
    groups = session.config.stash.setdefault(_GROUPS, {})
    for item in session.items:
        kernel = _kernel_of(item)
        if kernel is not None:
            groups.setdefault(kernel, Group(session.config, kernel)).add(item.nodeid)
    for group, following in itertools.pairwise(groups.values()):
        group.following = following


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    groups = item.config.stash[_GROUPS]
    kernel = _kernel_of(item)
    if kernel is None:
        _boot_ahead(groups)
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports(item, groups[kernel]):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _boot_ahead(groups: dict[str, Group]) -> None:
    """Have the first group's guest at work beside the tests that boot guests of their own.

    Much of those is waiting for time to pass, as it is of a group's. What keeps it from booting is
    told when its first test is due.
    """
    if groups and not why_not():
        with contextlib.suppress(SetupFailed):
            next(iter(groups.values())).boot()


def _reports(item: pytest.Item, group: Group) -> list[pytest.TestReport]:
    reason = why_not()
    try:
        if not reason:
            return group.run(item.nodeid)
    except SetupFailed as error:
        reason = f"guest tests left out: {error}"
    except GuestFailed as error:
        return [_report(item, "failed", str(error))]
    if os.environ.get("CI") == "true":
        return [_report(item, "failed", reason)]
    return [_report(item, "skipped", (str(item.path), item.location[1] or 0, reason))]


def _report(item: pytest.Item, outcome: str, text: str | tuple[str, int, str]) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=text,
        when="setup" if outcome == "skipped" else "call",
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    for group in session.config.stash.get(_GROUPS, {}).values():
        group.close()
