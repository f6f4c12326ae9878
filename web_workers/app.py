"""The Flask app: builds it, and says on every response what a browser may do with it.

Routes are in pages/routes.py. Nothing here knows gunicorn: any WSGI server runs the app.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, request
from framebus.errors import FramebusError
from framebus.serving import access
from werkzeug.exceptions import NotFound

from web_workers.access import views
from web_workers.access.authorizer import Authorizer
from web_workers.access.decisions import Decision, decided
from web_workers.access.keys import Keys
from web_workers.pages.aliases import ADDRESSES, not_found
from web_workers.pages.direct_snapshots import EXTENSION, DirectSnapshots
from web_workers.pages.routes import routes
from web_workers.responses.paths import root, tidy
from web_workers.responses.problems import install, problem
from web_workers.settings import Cameras, Settings
from web_workers.wire.headers import HEADERS, HTML

log = logging.getLogger("gunicorn.error")


def create_app(settings: Settings | None = None) -> Flask:
    """Return the app; `settings` are the environment's by default."""
    settings = settings or Settings.from_environ()
    cameras = Cameras(settings)
    app = Flask("web_workers")
    app.url_map.redirect_defaults = False  # to an absolute address, which is none behind a prefix
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default JSON provider
    authorizer = Authorizer(settings.access, _keys(settings))
    authorizer.install(app)
    # Nothing in these files is about a camera, and the page of errors needs them.
    app.view_functions["static"] = decided(Decision.OPEN, app.view_functions["static"])
    app.register_blueprint(routes(cameras))
    app.register_blueprint(views.routes(authorizer, cameras.existing))
    install(app, cameras)
    app.register_error_handler(NotFound, _not_found)
    app.after_request(_with_headers)
    app.extensions[EXTENSION] = DirectSnapshots(app, authorizer, cameras)
    app.wsgi_app = tidy(app.wsgi_app)  # type: ignore[method-assign, assignment]  # Flask's way
    return app


def _keys(settings: Settings) -> Keys | None:
    """Return the keys; None if none are needed, and, so that a reload ends nobody, on failure."""
    if not settings.access.asks:
        return None
    try:
        credential = access.credential(settings.access, settings.state)
    except FramebusError as error:
        log.error("nobody is let in: %s; then reload", error)
        return None
    return Keys(credential)


def _not_found(_: NotFound) -> Response:
    """Answer to a path that there is not with those that there are."""
    message, remedy = not_found(request.path)
    links = {name: root() + path for name, path in ADDRESSES.items()}
    return problem(404, "not-found", message, remedy=remedy, links=links)


def _with_headers(response: Response) -> Response:
    response.headers.update(HTML if response.mimetype == "text/html" else HEADERS)
    return response
