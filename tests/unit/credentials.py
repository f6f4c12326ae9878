"""A guarded web tier's settings, and the ways of showing it who asks."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web_workers.settings import OPEN

GUARDED = replace(
    OPEN, view="token", control="token", hosts=frozenset({"localhost", "cam.example"})
)
CALL = {"jsonrpc": "2.0", "id": 1, "method": "start"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(password: str, user: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def signed_in(client: FlaskClient, token: str) -> TestResponse:
    response = client.get(f"/?token={token}")
    assert response.status_code == 303
    return response


def csrf(client: FlaskClient, **headers: str) -> str:
    page = client.get("/", headers=headers)
    found = re.search(r'name="framebus-csrf" content="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]
