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

    def __init__(self, name: str, has: Mapping[str, Any], first: str) -> None:
        super().__init__(name)
        self.__dict__.update(has)
        self._first = first

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system's and others' questions to any module
            raise AttributeError(name)
        return getattr(loaded(self.__name__), name)


def loaded(name: str) -> ModuleType:
    """Return the module itself."""
    with _lock:
        stand_in = sys.modules.get(name)
        if isinstance(stand_in, _StandIn):
            if stand_in._first:
                loaded(stand_in._first)
            del sys.modules[name]
        return importlib.import_module(name)


class _Called:
    """A function, or a class that is only called, which loads its module then."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(loaded(self._module), self._name)(*args, **kwargs)


def called(module: str, *names: str) -> dict[str, Callable[..., Any]]:
    """Return what stands for functions of a module, and loads it when they are called."""
    return {name: _Called(module, name) for name in names}


def defer(modules: Mapping[str, Mapping[str, Any]], first: Mapping[str, str] | None = None) -> None:
    """Have these modules deferred, those that are loaded already excepted.

    Each name has with it what its stand-in has. `first` says of a module which other is to be
    loaded before it: one from which it takes by name what that one's stand-in has. For a process
    that begins.
    """
    for name, has in modules.items():
        if name not in sys.modules:
            sys.modules[name] = _StandIn(name, has, (first or {}).get(name, ""))
