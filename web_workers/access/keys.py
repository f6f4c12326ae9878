"""What proves that somebody showed the secret: comparing, sessions, links, CSRF tokens.

Everything is signed with a key that comes from the token and from the secret, so that it ends when
either changes. Nothing is stored: any worker can judge what another one signed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from framebus.serving.access import Credential
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

SESSION_S = 30 * 86400
"""How long a session is good for."""
LINK_S = 3600
"""How long a link is good for; what was begun with it goes on."""


class Keys:
    """Proofs made with one credential. Thread-safe."""

    def __init__(self, credential: Credential, clock: Callable[[], float] = time.time) -> None:
        """Derive the keys; `clock` gives seconds since 1970."""
        self._clock = clock
        self.guessable = credential.secret != credential.token
        """The secret is a person's, not 256 random bits."""
        self._secret = _digest(credential.secret)
        material = f"framebus\0{credential.token}\0{credential.secret}"
        self._key = hashlib.sha256(material.encode()).digest()
        options = {"digest_method": hashlib.sha256}
        self._sessions = URLSafeTimedSerializer(self._key, "session", signer_kwargs=options)
        self._links = URLSafeSerializer(self._key, "link", signer_kwargs=options)
        # Cookies are shared by all ports of a host: each web tier has a name of its own.
        self.cookie = f"framebus-{self._mac('cookie')[:8]}"

    def matches(self, shown: str) -> bool:
        """Whether this is the secret; takes as long for any that is not."""
        return hmac.compare_digest(_digest(shown), self._secret)

    def session(self) -> tuple[str, str]:
        """Return a new session's id and the cookie's value for it."""
        id_ = secrets.token_urlsafe(16)
        return id_, str(self._sessions.dumps(id_))

    def session_of(self, cookie: str) -> str | None:
        """Return the id of the session that a cookie's value proves, None if it proves nothing."""
        try:
            id_ = self._sessions.loads(cookie, max_age=SESSION_S)
        except BadData:
            return None
        return id_ if isinstance(id_, str) else None

    def csrf(self, session: str) -> str:
        """Return what only a page of ours, in this session, can send along."""
        return self._mac(f"csrf\0{session}")

    def csrf_matches(self, session: str, shown: str) -> bool:
        """Whether that is what was sent along."""
        return hmac.compare_digest(_digest(self.csrf(session)), _digest(shown))

    def link(self, camera: str) -> str:
        """Return what opens one camera's routes to whoever has it, for LINK_S seconds."""
        return str(self._links.dumps([camera, int(self._clock()) + LINK_S]))

    def link_opens(self, shown: str, camera: str) -> bool:
        """Whether it does."""
        try:
            told = self._links.loads(shown)
        except BadData:
            return False
        match told:
            case [str(name), int(until)]:
                return name == camera and self._clock() < until
            case _:
                return False

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    """Return a text at one length, to be compared in one time."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
