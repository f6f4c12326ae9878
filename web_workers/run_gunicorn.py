"""What `framebus web` becomes: `python -P -m web_workers.run_gunicorn --config ...`.

It says what is not to be loaded before it is used, which must come before everything else; then it
is gunicorn, as master.py has it. Its workers inherit that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

from framebus.deferred_imports import called, defer


class _NoTlsError(OSError):
    """What ssl.SSLError is, and its kinds, where nobody speaks TLS: it is never raised."""


class _NoTlsSocket:
    """What ssl.SSLSocket is there: no socket is one."""


class _NoCommands:
    """What flask.cli.AppGroup is for an app that nobody gives commands to."""

    def __init__(self) -> None:
        self.name = ""
        self.commands: dict[str, object] = {}


_UNUSED: Final[Mapping[str, Mapping[str, Any]]] = {
    "bz2": {},
    "click": {},
    "decimal": {},
    "difflib": {},
    "flask.cli": {"AppGroup": _NoCommands},
    "flask.templating": called(
        "flask.templating",
        *("DispatchingJinjaLoader", "Environment", "_default_template_ctx_processor"),
        *("render_template", "render_template_string", "stream_template"),
        "stream_template_string",
    ),
    "html": {},
    "importlib.metadata": {},
    "jinja2": {"BaseLoader": object, **called("jinja2", "FileSystemLoader")},
    "locale": {},
    "logging.config": called("logging.config", "dictConfig", "fileConfig"),
    "lzma": {},
    "shutil": {},
    "tokenize": {},
    "werkzeug.serving": called("werkzeug.serving", "run_simple", "is_running_from_reloader"),
    "werkzeug.test": called("werkzeug.test", "Client"),
}
"""What gunicorn and Flask import and a web tier does not use, or not before a page is looked at."""
_TLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ssl": {
        **dict.fromkeys(("SSLError", "SSLWantReadError", "SSLWantWriteError"), _NoTlsError),
        "SSLSocket": _NoTlsSocket,
        # gunicorn has defaults of options from there.
        "PROTOCOL_SSLv23": 2,
        "PROTOCOL_TLS": 2,
        "CERT_NONE": 0,
    }
}
"""The same where there is no certificate."""
_OWN_HASHES = (
    "_blake2",
    "_md5",
    "_sha1",
    "_sha3",
    "_sha512" if sys.version_info < (3, 12) else "_sha2",
)
"""What Python needs for hashes without OpenSSL; who builds it may leave them out."""


def defer_unused(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
    """Have all that deferred. Without a certificate OpenSSL is not for hashes either."""
    defer(_UNUSED, first={"flask.templating": "jinja2"})  # it subclasses what is there
    if not environ.get("FRAMEBUS_CERTFILE") and "--certfile" not in arguments:
        defer(_TLS)
        if all(map(find_spec, _OWN_HASHES)):
            sys.modules["_hashlib"] = None  # type: ignore[assignment]  # hashlib does without


def main() -> None:
    """Become gunicorn."""
    defer_unused(os.environ, sys.argv)
    from web_workers import master

    master.run()


if __name__ == "__main__":
    main()
