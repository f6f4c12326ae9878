"""Fixtures of the tests inside the guest: the kernel, the bench and its cameras."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.guest.camera.client import Bench, PluggedCamera
from tests.guest.inside.handle import Handle

Plug = Callable[..., PluggedCamera]


@pytest.hookimpl(tryfirst=True)  # or the order of names in a test's id depends on who loads first
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test names its kernel; a module's KERNELS says on which ones it runs."""
    kernels = getattr(metafunc.module, "KERNELS", ("stable",))
    metafunc.fixturenames.insert(0, "kernel")
    metafunc.parametrize("kernel", kernels, scope="session")


@pytest.fixture(scope="session")
def buffers_own() -> bool:
    """Whether the stream belongs to who has buffers (6.17 and later), not to the first S_FMT."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int(minor)) >= (6, 17)


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


@pytest.fixture(scope="session")
def _names() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def plug(bench: Bench, _names: Iterator[int]) -> Iterator[Plug]:
    """Plug in cameras for one test; they are pulled out after it."""
    plugged = []

    def plug(model: str = "bulk", *, serial: str | None = None) -> PluggedCamera:
        plugged.append(bench.plug(f"camera{next(_names)}", model, serial=serial))
        return plugged[-1]

    yield plug
    for camera in plugged:
        # A test may have pulled it out, or plugged it in again under its name.
        if camera.name in bench.plugged:
            camera.unplug()


@pytest.fixture(scope="module")
def shared_camera(bench: Bench) -> Iterator[PluggedCamera]:
    """A bulk camera for the tests of one module that leave it as they found it."""
    camera = bench.plug("shared")
    yield camera
    camera.unplug()


@pytest.fixture
def camera(shared_camera: PluggedCamera) -> Iterator[PluggedCamera]:
    """The module's camera, without a fault before and after."""
    yield shared_camera
    shared_camera.clear()


@pytest.fixture
def handle(camera: PluggedCamera) -> Iterator[Handle]:
    """An open descriptor on the module's camera."""
    with Handle(camera.wait_node()) as handle:
        yield handle


@pytest.fixture
def second(camera: PluggedCamera, handle: Handle) -> Iterator[Handle]:
    """Another descriptor on the same camera; ownership in the driver goes by descriptor."""
    with Handle(camera.wait_node()) as second:
        yield second


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack
