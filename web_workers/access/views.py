"""The routes that are about access: a link for a player, the password prompt, commands."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, redirect
from framebus.names import CameraNames
from werkzeug.wrappers import Response as AnyResponse

from web_workers.access.authorizer import Authorizer
from web_workers.access.control import control
from web_workers.access.decisions import Decision, decided
from web_workers.access.keys import LINK_S
from web_workers.responses.paths import only_as_it_stands, root


def routes(authorizer: Authorizer, names: Callable[[str], CameraNames]) -> Blueprint:
    """Return them; `names` raises UnknownCamera."""

    def link(name: str) -> Response:
        """Addresses for an <img> or a player that can show no password."""
        query = authorizer.link(names(name).camera)
        kinds = ("stream", "snapshot", "state")
        links = {kind: f"{root()}cameras/{name}/{kind}{query}" for kind in kinds}
        return jsonify({**links, "expires_s": LINK_S if query else None})

    def login() -> AnyResponse:
        """The page, after the browser has asked for the password."""
        authorizer.control_token()
        return redirect(root(), 303)

    blueprint = Blueprint("access", __name__)
    add = blueprint.add_url_rule
    add("/cameras/<name>/link", "link", decided(Decision.VIEW, link))
    add("/login", "login", decided(Decision.CONTROL, only_as_it_stands(login, below_mount=True)))
    add(
        "/cameras/<name>/control",
        "control",
        decided(Decision.CONTROL, lambda name: control(names(name))),
        methods=["POST"],
    )
    return blueprint
