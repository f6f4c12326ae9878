"""What gunicorn's log lines lose."""

from __future__ import annotations

import pytest

from web_workers.access.logs import without_secrets

SECRET = "AbC-_123xyz"


@pytest.mark.parametrize(
    "line",
    [
        "Invalid HTTP request line: 'GET /?token={0} HTTP/1.1 x'",
        "Error handling request GET /?a=b&token={0}&c=d",
        "GET /cameras/front/stream?signed={0} HTTP/1.1",
        "TOKEN={0}",
        "/?token%3D{0}",
        "Invalid HTTP Header: 'Authorization: Bearer {0}'",
        "authorization: basic {0}",
        "Cookie: a=b; framebus-01234567={0}; c=d",
        "Traceback: ...\n  request /?token={0}\nValueError",
    ],
)
def test_secrets_are_taken_out_of_a_line_and_the_rest_stays(line: str) -> None:
    cleaned = without_secrets(line.format(SECRET))
    assert SECRET not in cleaned
    assert "***" in cleaned
    assert cleaned.split("***")[0] == line.split("{0}")[0]


@pytest.mark.parametrize("line", ["Listening at: http://127.0.0.1:8080 (1)", "a tokenizer=x"])
def test_other_lines_stay(line: str) -> None:
    assert without_secrets(line) == line
