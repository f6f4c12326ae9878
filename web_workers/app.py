"""The Flask app: builds it, and says on every response what a browser may do with it.

Routes are in routes.py. Nothing here knows gunicorn: any WSGI server runs the app.
"""

from __future__ import annotations

import os

from flask import Flask, Response

from web_workers.problems import install
from web_workers.routes import routes
from web_workers.settings import Cameras, Settings

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(settings: Settings | None = None) -> Flask:
    """Return the app; `settings` are the environment's by default."""
    cameras = Cameras(settings or Settings.from_environ(os.environ))
    app = Flask("web_workers")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default JSON provider
    app.register_blueprint(routes(cameras))
    install(app, cameras)
    app.after_request(_with_headers)
    return app


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response
