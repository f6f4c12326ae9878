"""Wrong tokens and passwords at the gate: how many are too many, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.unit.credentials import GUARDED, basic, bearer
from web_workers.access.attempt_limiter import AGAIN_S, AT_ONCE, AttemptLimiter
from web_workers.app import create_app
from web_workers.settings import Settings


@pytest.fixture
def at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No try comes back while a test runs."""
    monkeypatch.setattr(
        "web_workers.access.authorizer.AttemptLimiter", lambda: AttemptLimiter(clock=lambda: 0.0)
    )


@pytest.fixture
def password(runtime: Path, tmp_path: Path, token: str, at_one_moment: None) -> FlaskClient:
    """A client of a server that asks for a password, `correct horse`."""
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    file.chmod(0o600)
    guarded = replace(GUARDED, password_file=file)
    return create_app(Settings(runtime, access=guarded, state=tmp_path)).test_client()


IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_wrong_tries_are_limited_and_a_session_is_not_disturbed(
    password: FlaskClient,
) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    password.get("/?token=correct+horse", environ_base=elsewhere)  # gives a session
    stranger = password.application.test_client()
    for _ in range(AT_ONCE):
        assert stranger.get("/cameras", headers=basic("wrong")).status_code == 401
    response = stranger.get("/cameras", headers=basic("correct horse"))
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) == AGAIN_S + 1
    assert password.get("/cameras").status_code == 200
    there = stranger.get("/cameras", headers=basic("correct horse"), environ_base=elsewhere)
    assert there.status_code == 200


def test_the_right_token_is_let_in_whatever_others_of_its_address_have_tried(
    runtime: Path, tmp_path: Path, token: str, at_one_moment: None
) -> None:
    client = create_app(Settings(runtime, access=GUARDED, state=tmp_path)).test_client()
    for _ in range(2 * AT_ONCE):
        client.get("/cameras", headers=bearer("wrong"))
        client.get("/?token=wrong")
    assert client.get("/cameras", headers=bearer("wrong")).status_code == 429
    assert client.get("/cameras", headers=bearer(token)).status_code == 200
    assert client.get(f"/?token={token}").status_code == 303


@pytest.mark.parametrize(
    "marks",
    [
        IMAGE,
        {**IMAGE, "Sec-Fetch-Site": "same-site"},
        {**LINK, "Sec-Fetch-Dest": "iframe"},
        {**LINK, "Sec-Purpose": "prefetch;prerender"},
        {},  # an older browser, or one that is not on a secure origin
        LINK,
    ],
)
def test_a_page_of_somebody_else_cannot_use_up_the_tries_of_who_gives_a_password(
    password: FlaskClient, marks: dict[str, str]
) -> None:
    for _ in range(2 * AT_ONCE):
        password.get("/?token=wrong", headers=marks)
    assert password.get("/cameras", headers=basic("correct horse")).status_code == 200


@pytest.mark.parametrize("secret", ["wrong", "correct+horse"])
def test_a_page_of_somebody_else_learns_nothing_by_images(
    password: FlaskClient, secret: str
) -> None:
    response = password.get(f"/?token={secret}", headers=IMAGE)
    assert response.status_code == 401
    assert "Set-Cookie" not in response.headers


def test_a_link_in_a_mail_opens_the_page_with_the_token(password: FlaskClient) -> None:
    assert password.get("/?token=correct+horse", headers=LINK).status_code == 303


@pytest.mark.parametrize("marks", [{}, IMAGE, LINK])
@pytest.mark.parametrize("how", [bearer, basic, None])
def test_guesses_are_limited_whatever_they_say_of_themselves(
    password: FlaskClient, marks: dict[str, str], how: Callable[[str], dict[str, str]] | None
) -> None:
    def tried(secret: str) -> int:
        if how is None:
            return password.get(f"/?token={secret}", headers=marks).status_code
        return password.get("/cameras", headers={**marks, **how(secret)}).status_code

    for number in range(AT_ONCE):
        assert tried(f"guess{number}") == 401
    assert tried("correct horse") in (401, 429)
