"""The Flask app: builds it, and says on every response what a browser may do with it.

Routes are in pages/routes.py. Nothing here knows gunicorn: any WSGI server runs the app.
"""

from __future__ import annotations

import logging

from flask import Flask, Response
from framebus.cli import access
from framebus.errors import FramebusError

from web_workers.access import views
from web_workers.access.decisions import Decision, decided
from web_workers.access.gate import Gate
from web_workers.access.keys import Keys
from web_workers.pages.routes import routes
from web_workers.responses.problems import install
from web_workers.settings import Cameras, Settings
from web_workers.wire.headers import HEADERS

log = logging.getLogger("gunicorn.error")


def create_app(settings: Settings | None = None) -> Flask:
    """Return the app; `settings` are the environment's by default."""
    settings = settings or Settings.from_environ()
    cameras = Cameras(settings)
    app = Flask("web_workers")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default JSON provider
    gate = Gate(settings.access, _keys(settings))
    gate.install(app)
    # Nothing in these files is about a camera, and the page of errors needs them.
    app.view_functions["static"] = decided(Decision.OPEN, app.view_functions["static"])
    app.register_blueprint(routes(cameras))
    app.register_blueprint(views.routes(gate, cameras.existing))
    install(app, cameras)
    app.after_request(_with_headers)
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


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
