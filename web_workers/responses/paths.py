"""Paths: of what was asked, in one form; and of what answers point to, relative to that.

Programs ask for `/stream/` and `//stream`, and append what defeats caches whether there is a query
already or not (`/snapshot&1700000000`, `/?action=stream?1700000000`). All of it is made the one
form that routes have, before the authorizer or any route looks at it.

A proxy may serve us below a prefix and take that off before it passes a request on. So no answer
has an absolute path in it: what it points to is relative to the address that was asked, which is
right below any prefix, and needs no proxy to tell of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import g, redirect, request
from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "prefix"
"""Of flask.g: what a declared proxy says that our paths stand below, empty without one."""
MOUNT: Final = "/webcam"
"""Everything is here too: the proxies of printers' systems that leave their prefix on use this."""
_ASKED: Final = "framebus.asked"
"""Key of the WSGI environment: the path as it was asked."""


def tidied(path: str) -> str:
    """Return a path in the form that routes have: one slash between names, none after the last."""
    names = [name for name in path.split("/") if name]
    if names and names[0] == MOUNT[1:]:
        del names[0]
    if names:
        names[-1] = names[-1].partition("&")[0] or names[-1]
    return "/" + "/".join(names)


def tidy(app: WSGIApplication) -> WSGIApplication:
    """Wrap `app` so that it sees tidied paths, and queries with one kind of separator."""

    def tidying(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        make_tidy(environ)
        return app(environ, start_response)

    return tidying


def make_tidy(environ: WSGIEnvironment) -> None:
    """Make a request's path and query what the app sees of them."""
    asked = environ.get("PATH_INFO", "")
    environ[_ASKED] = asked
    environ["PATH_INFO"] = tidied(asked)
    environ["QUERY_STRING"] = environ.get("QUERY_STRING", "").replace("?", "&")


def root() -> str:
    """Return the address of `/`, with a slash at its end, as the answer to this request has it."""
    prefix = g.get(PREFIX)
    if prefix:
        return f"{prefix}/"
    asked = request.environ.get(_ASKED, request.path)
    if asked == MOUNT:
        return f"{MOUNT[1:]}/"
    return _up(asked.removeprefix(MOUNT) if asked.startswith(f"{MOUNT}/") else asked)


def only_as_it_stands(view: Callable[..., Any], *, below_mount: bool = False) -> Callable[..., Any]:
    """Send whoever asks for this view by any other spelling of its path to that path.

    For what a proxy may have a rule about by its exact path, and for what sets a cookie, which
    browsers keep for the path that they asked for. `below_mount`: it is there below MOUNT as well.
    """

    @functools.wraps(view)
    def standing(*args: Any, **kwargs: Any) -> Any:
        asked = request.environ.get(_ASKED, request.path)
        if asked.startswith(f"{MOUNT}/") and not below_mount:
            raise NotFound
        if asked.removeprefix(MOUNT) == request.path:
            return view(*args, **kwargs)
        query = request.query_string.decode("latin-1")
        return redirect(root() + request.path[1:] + (f"?{query}" if query else ""), 308)

    return standing


def _up(asked: str) -> str:
    return "../" * (asked.count("/") - 1) or "./"
