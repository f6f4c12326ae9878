"""What a request shows to prove that its sender knows the secret. Reads the request, answers none.

A browser sends cookies and HTTP basic along by itself, also when the page of somebody else makes it
ask; a bearer token is only ever sent on purpose.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from flask import Request

from web_workers.access.keys import Keys

OWN_SITE = frozenset({None, "same-origin", "none"})
"""What Sec-Fetch-Site says of a request that no other site has made."""


class Kind(enum.Enum):
    """How it was proved."""

    SESSION = "session"
    BASIC = "basic"
    BEARER = "bearer"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Proof:
    """It was proved; `session` is the id of the session that came along, if one did."""

    kind: Kind
    session: str | None = None


def without_secret(request: Request, keys: Keys) -> Proof | None:
    """Return the proof that nobody can guess: a session, or a signed link to this camera."""
    session = keys.session_of(request.cookies.get(keys.cookie, ""))
    if session is not None:
        return Proof(Kind.SESSION, session)
    camera = (request.view_args or {}).get("name")
    signed = request.args.get("signed")
    if signed and isinstance(camera, str) and keys.link_opens(signed, camera):
        return Proof(Kind.LINK)
    return None


def secret_of(request: Request) -> tuple[str, Kind] | None:
    """Return what the request says the secret is, None if it says nothing."""
    shown = request.authorization
    if shown is None:
        return None
    if shown.type == "basic":
        return shown.password or "", Kind.BASIC
    if shown.type == "bearer":
        return shown.token or "", Kind.BEARER
    return None


def is_foreign(request: Request) -> bool:
    """Whether a page of another site made the browser ask, as far as the browser says.

    Browsers say so over TLS and on the loopback (Fetch Metadata, section 2); a script says what it
    likes.
    """
    return request.headers.get("Sec-Fetch-Site") not in OWN_SITE


def is_opened(request: Request) -> bool:
    """Whether a person may have opened this address: no page fetches it as an image or ahead."""
    purposes = request.headers.get("Sec-Purpose", ""), request.headers.get("Purpose", "")
    if any("prefetch" in purpose for purpose in purposes):
        return False
    return request.headers.get("Sec-Fetch-Dest", "document") == "document"
