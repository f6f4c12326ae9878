"""A ring that a test publishes into, and a web tier over it; a file may have its own instead.

And what starts a `framebus up`, and a server to be attacked.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.programs.guarded_web_tier import Guarded
from tests.programs.up import Up
from tests.programs.web_tier import WebTier
from tests.rigs.fixtures import bus, live_bus, patient_bus

__all__ = ["bus", "live_bus", "patient_bus"]


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime)
    yield tier
    tier.close()


@pytest.fixture
def bind() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def start(runtime: Path, tmp_path: Path, bind: str) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*arguments: str) -> Up:
        directory = tmp_path / str(len(started))
        directory.mkdir()
        started.append(Up(directory, *arguments, "--bind", bind))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.process.terminate()
        up.process.wait(30)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    """A web tier that asks for a token, over a daemon; for all tests of a file."""
    with Guarded() as guarded:
        yield guarded


@pytest.fixture
def server(guarded: Guarded) -> Iterator[Guarded]:
    """The same, to be attacked: the test fails unless it is as before in the end."""
    yield guarded
    guarded.unharmed()
