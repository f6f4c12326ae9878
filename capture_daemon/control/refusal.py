"""How a handler answers: with a result or a refusal, now or later. Knows no socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Refusal(Exception):
    """A JSON-RPC error to come: `code` as in framebus.control.protocol, a message for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Answer(Protocol):
    """The way back to whoever called. Exactly one of the two is called, once."""

    def result(self, result: Mapping[str, object]) -> None:
        """Answer with a result."""

    def refuse(self, refusal: Refusal) -> None:
        """Answer with an error."""
