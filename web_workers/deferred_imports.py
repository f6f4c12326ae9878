"""What gunicorn and Flask import and a web tier never uses: not loaded before it is used.

A third of what a worker would take of memory is such: TLS where there is none, Flask's command line
and with it click, Werkzeug's own server and test client, what reads the metadata of packages. Each
gets a stand-in in sys.modules, before anything of it is imported. The first use of anything that a
stand-in has not loads the module itself, and the stand-in passes everything on to it. So nothing is
missing, whatever a newer gunicorn or Flask uses; it is just there later.

What is imported by name (`from ssl import SSLError`) a stand-in must have. A function it has as
one that loads the module when it is called. Where that does not do, the comment says why it is
sound.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

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


def _called(module: str, *names: str) -> dict[str, Callable[..., Any]]:
    """Return functions that load the module when they are called."""

    def passing(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: getattr(loaded(module), name)(*args, **kwargs)

    return {name: passing(name) for name in names}


class _NoTlsError(OSError):
    """What ssl.SSLError is where nobody speaks TLS: it is never raised."""


class _NoCommands:
    """What flask.cli.AppGroup is for an app that nobody gives commands to: it is only asked for."""

    def __init__(self) -> None:
        self.name = ""
        self.commands: dict[str, object] = {}


_TLS: Final = "ssl"
_HAVE: Final[Mapping[str, Mapping[str, Any]]] = {
    # gunicorn: the defaults of options that it has no use for without a certificate.
    _TLS: {"SSLError": _NoTlsError, "PROTOCOL_TLS": 2, "PROTOCOL_SSLv23": 2, "CERT_NONE": 0},
    "ast": {},
    "click": {},
    "flask.cli": {"AppGroup": _NoCommands},
    "html": {},
    "importlib.metadata": {},
    "logging.config": _called("logging.config", "dictConfig", "fileConfig"),
    "lzma": {},
    "uuid": {},
    "decimal": {},
    "difflib": {},
    "werkzeug.serving": _called("werkzeug.serving", "run_simple", "is_running_from_reloader"),
    "werkzeug.test": _called("werkzeug.test", "Client"),
}


def defer(*, tls: bool) -> None:
    """Have them deferred that are not imported yet; all but `ssl` if `tls` is spoken here."""
    for name, has in _HAVE.items():
        if name not in sys.modules and not (tls and name == _TLS):
            sys.modules[name] = _StandIn(name, has)
