"""What a client gets when something is wrong: JSON, or a short page for a browser.

One shape for all: `error` is a stable word, `message` says what is wrong, `remedy` what to do.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from framebus.errors import UsageError
from werkzeug.exceptions import HTTPException

from web_workers.admission.viewer_limits import RETRY_AFTER_S, LimitReached
from web_workers.responses.paths import root
from web_workers.settings import Cameras, UnknownCamera


def problem(
    status: int, error: str, message: str, *, retry_after_s: int | None = None, **more: Any
) -> Response:
    """Return the response for something that is wrong."""
    body = {"error": error, "message": message, **more}
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = Response(
            render_template("problem.html", root=root(), **body), mimetype="text/html"
        )
    else:
        response = jsonify(body)
    response.status_code = status
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def install(app: Flask, cameras: Cameras) -> None:
    """Let `app` answer errors this way."""

    def unknown_camera(error: UnknownCamera) -> Response:
        known = cameras.known()
        return problem(
            404,
            "no-such-camera",
            f"there is no camera {error.camera!r}; there are: {', '.join(known)}",
            cameras=known,
        )

    def usage(error: UsageError) -> Response:
        return problem(400, "bad-request", str(error))

    def full(error: LimitReached) -> Response:
        return problem(
            503, error.reason.value, str(error), remedy=error.remedy, retry_after_s=RETRY_AFTER_S
        )

    def http(error: HTTPException) -> Response:
        word = (error.name or "error").lower().replace(" ", "-")
        response = problem(error.code or 500, word, error.description or error.name)
        if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    app.register_error_handler(UnknownCamera, unknown_camera)
    app.register_error_handler(UsageError, usage)
    app.register_error_handler(LimitReached, full)
    app.register_error_handler(HTTPException, http)
