"""Modules that others import and this process never uses: not loaded before they are used.

A third of what a web worker would take of memory is such. Each gets a stand-in in sys.modules,
before anything of it is imported. The first use of anything that a stand-in has not loads the
module itself, and the stand-in passes everything on to it. So nothing is missing, whatever a newer
library uses; it is just there later.

What is imported by name (`from ssl import SSLError`) a stand-in must have, or it is loaded at once.
A function it has as one that loads the module when it is called (`called`).
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

_lock = threading.RLock()


class _StandIn(ModuleType):
    """A module that is loaded when it is used. Thread-safe."""

    def __init__(self, name: str, has: Mapping[str, Any]) -> None:
        super().__init__(name)
        self.__dict__.update(has)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system's and others' questions to any module
            raise AttributeError(name)
        return getattr(loaded(self.__name__), name)


def loaded(name: str) -> ModuleType:
    """Return the module itself."""
    with _lock:
        if isinstance(sys.modules.get(name), _StandIn):
            del sys.modules[name]
        return importlib.import_module(name)


def called(module: str, *names: str) -> dict[str, Callable[..., Any]]:
    """Return functions that load the module when they are called."""

    def passing(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: getattr(loaded(module), name)(*args, **kwargs)

    return {name: passing(name) for name in names}


def defer(modules: Mapping[str, Mapping[str, Any]]) -> None:
    """Have these modules deferred, those that are loaded already excepted.

    Each name has with it what its stand-in has. For a process that begins.
    """
    for name, has in modules.items():
        if name not in sys.modules:
            sys.modules[name] = _StandIn(name, has)
