"""Stands before every view: lets a request through, or answers it. Thread-safe.

In this order: is it meant for this server (DNS rebinding), what has its route decided, is there a
proof, and for a command: did a page of ours send it. Bodies are not read before all of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from flask import Flask, Request, Response, current_app, g, redirect, request
from framebus.serving.access import Access
from werkzeug.wrappers import Response as AnyResponse

from web_workers.access.attempt_limiter import AttemptLimiter, Way
from web_workers.access.decisions import Decision, decision_of
from web_workers.access.keys import SESSION_S, Keys
from web_workers.access.peer import Peer, Proxies, answers_to, is_for
from web_workers.access.proof import (
    OWN_SITE,
    Kind,
    Proof,
    is_foreign,
    is_opened,
    secret_of,
    without_secret,
)
from web_workers.responses.paths import PREFIX, root
from web_workers.responses.problems import problem

CSRF_HEADER = "X-CSRF-Token"
PAGE = "framebus.index"
LOGIN = "access.login"
LINK = "access.link"
ADDRESS = "address"
"""Of flask.g: the client's address, as far as declared proxies tell it."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE = 'Basic realm="framebus", charset="UTF-8"'
_QUIET = 'Bearer realm="framebus"'  # browsers open their sign-in box for Basic and Digest only
_BY_SCRIPT = "page"
"""The query's key with which page.js marks what it asks for by itself, again and again."""

Answer = Callable[[], AnyResponse]
"""Makes the answer to a request that is not let through, within Flask's context of it."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A request is let through."""

    proof: Proof | None
    """What it proved, if it was asked for that or showed it anyhow."""
    in_vain: Answer | None = None
    """The answer to what it showed, which was not asked for and is wrong, or one try too many."""


class Authorizer:
    """One app's."""

    def __init__(self, access: Access, keys: Keys | None) -> None:
        """`keys` is None where there is no secret: nobody is let through who would need one."""
        self._access = access
        self._keys = keys
        self._proxies = Proxies(access.proxies)
        self._attempts = AttemptLimiter()

    def install(self, app: Flask) -> None:
        """Stand before the views of `app`."""
        app.before_request(self.check)
        app.after_request(self.keep_session)
        app.context_processor(self.told)

    def check(self) -> AnyResponse | None:
        """Return the answer to a request that is not let through, None for one that is."""
        setattr(g, ADDRESS, self._proxies.peer(request.environ).address)
        setattr(g, PREFIX, self._proxies.prefix(request.environ))
        endpoint = request.endpoint
        decision = decision_of(current_app.view_functions[endpoint]) if endpoint else Decision.OPEN
        judged = self.judge(request, endpoint, decision)
        if not isinstance(judged, Passed):
            return judged()
        if judged.in_vain is not None:
            judged.in_vain()  # nobody guesses the secret where it is not asked for
        g.proof = judged.proof
        return None

    def judge(
        self, request: Request, endpoint: str | None, decision: Decision | None
    ) -> Passed | Answer:
        """Return whether a request is let through to a view with that decision, or its answer.

        Changes nothing: a wrong try is counted when its answer is made. So whoever has no use for
        an answer can leave the request to `check`. `endpoint` is None for what there is not.
        """
        peer = self._proxies.peer(request.environ)
        if not is_for(peer, self._access.hosts):
            host = peer.named if answers_to(peer.host, self._access.hosts) else peer.host
            return partial(
                problem,
                421,
                "not-this-host",
                f"this server does not go by the name {(host or '')[:80]!r}",
                remedy="--allow-host NAME, if it should",
            )
        if decision is Decision.OPEN:
            return Passed(None)
        if decision is None:
            return partial(problem, 500, "undecided", "nobody has decided whom this page is for")
        if decision is Decision.CONTROL and self._access.control == "off":
            return partial(
                problem,
                403,
                "control-off",
                "this server commands no cameras",
                remedy="--control token, or framebus ctl on the machine itself",
            )
        # What pages of others have a browser fetch besides is answered as if it said nothing.
        said = endpoint == PAGE and "token" in request.args
        if said and (is_opened(request) or not is_foreign(request)):
            return lambda: self._opened(peer)
        proof = self._proof(request, peer)
        if decision is Decision.VIEW and self._access.view == "open":
            return Passed(proof) if isinstance(proof, Proof | None) else Passed(None, proof)
        if self._keys is None:
            return partial(
                problem, 503, "no-secret", "the token or password cannot be read; the log says why"
            )
        if not isinstance(proof, Proof):
            return proof or _wanted
        if proof.kind is Kind.LINK and (decision is Decision.CONTROL or endpoint == LINK):
            return _wanted
        forged = _forged(self._keys, request, peer, proof) if decision is Decision.CONTROL else None
        return forged or Passed(proof)

    def keep_session(self, response: AnyResponse) -> AnyResponse:
        """Give a session to who showed the secret on a page, since commands need one."""
        proof: Proof | None = g.get("proof")
        wants = request.endpoint in (PAGE, LOGIN) and response.status_code < 400
        if self._keys and wants and proof and proof.kind is Kind.BASIC and "session" in g:
            self._set_cookie(self._keys, response, g.session)
        return response

    def link(self, camera: str) -> str:
        """Return the query that opens a camera's routes for a while, empty where all are open."""
        if self._keys is None or self._access.view == "open":
            return ""
        return "?" + urlencode({"signed": self._keys.link(camera)})

    def told(self) -> dict[str, object]:
        """Return what templates are told: who can command, and whether others may log in to it."""
        token = self.control_token()
        commands = self._keys is not None and self._access.control != "off"
        return {"control_token": token, "login": commands and not token}

    def control_token(self) -> str:
        """Return the CSRF token for the page that is being made, empty for who cannot command."""
        proof: Proof | None = g.get("proof")
        if self._keys is None or self._access.control == "off" or proof is None:
            return ""
        if proof.session is not None:
            return self._keys.csrf(proof.session)
        if proof.kind is not Kind.BASIC:
            return ""
        if "session" not in g:
            g.session_id, g.session = self._keys.session()
        return self._keys.csrf(g.session_id)

    def _proof(self, request: Request, peer: Peer) -> Proof | Answer | None:
        """Return the request's proof, None if it shows nothing, or what to answer it."""
        if self._keys is None:
            return None
        proof = without_secret(request, self._keys)
        said = secret_of(request)
        if said is None or (proof is not None and proof.kind is Kind.SESSION):
            # A browser that knows a password sends it too: the session is what counts then.
            return proof
        shown, kind = said
        way = Way.FOREIGN_HEADER if is_foreign(request) else Way.HEADER
        return self._wrong(self._keys, peer, shown, way) or Proof(kind)

    def _wrong(self, keys: Keys, peer: Peer, shown: str, way: Way) -> Answer | None:
        """Return what to answer to a secret that is not ours, or is one of too many tries."""
        right = keys.matches(shown)
        # Nobody guesses a token: whoever knows it is let in, whatever others of its address tried.
        if right and not keys.guessable:
            return None
        wait_s = self._attempts.wait_s(peer.address, way)
        if wait_s > 0:
            return partial(
                problem,
                429,
                "too-many-tries",
                "too many wrong tries from your address",
                remedy="wait, or open the page without it and give it as password"
                if way in (Way.URL, Way.FOREIGN_URL)
                else "wait",
                retry_after_s=int(wait_s) + 1,
            )
        return None if right else lambda: self._counted(peer, way)

    def _counted(self, peer: Peer, way: Way) -> Response:
        """Answer to a secret that is not ours."""
        self._attempts.wrong(peer.address, way)
        return _wanted("that is not the token")

    def _opened(self, peer: Peer) -> AnyResponse:
        """Answer to the URL with the token in it: a session, and the URL without."""
        rest = [(key, each) for key, each in request.args.items(multi=True) if key != "token"]
        response = redirect(root() + ("?" + urlencode(rest) if rest else ""), 303)
        if self._keys is not None:
            way = Way.FOREIGN_URL if is_foreign(request) else Way.URL
            answer = self._wrong(self._keys, peer, request.args["token"], way)
            if answer is not None:
                return answer()
            self._set_cookie(self._keys, response, self._keys.session()[1])
        return response

    def _set_cookie(self, keys: Keys, response: AnyResponse, value: str) -> None:
        response.set_cookie(
            keys.cookie,
            value,
            max_age=SESSION_S,
            httponly=True,
            secure=self._proxies.peer(request.environ).scheme == "https",
            # Without a path a browser takes that of the page, which is right below any prefix.
            path=f"{g.get(PREFIX)}/" if g.get(PREFIX) else None,
            # Strict would not let a link in a mail or a wiki open the page: the redirect after it,
            # and every later visit, would come without. Lax sends it with a top-level GET besides,
            # and no GET changes anything; never with a POST, an <img> or a frame of another site.
            samesite="Lax",
        )


def _forged(keys: Keys, request: Request, peer: Peer, proof: Proof) -> Answer | None:
    """Return the refusal of a command that a page of somebody else may have sent."""
    if request.method in _SAFE:
        return None
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if (origin is not None and not peer.is_origin(origin)) or site not in OWN_SITE:
        return partial(
            problem,
            403,
            "foreign-origin",
            "this command comes from a page of another origin",
            remedy="behind a proxy: --trusted-proxy, and Host passed on with its port",
        )
    if proof.kind is Kind.BEARER:
        return None
    shown = request.headers.get(CSRF_HEADER, "")
    if proof.session is None or not keys.csrf_matches(proof.session, shown):
        return partial(
            problem,
            403,
            "no-csrf-token",
            f"a command needs the page's session and its {CSRF_HEADER}",
            remedy="load the page again; scripts send Authorization: Bearer instead",
        )
    return None


def _wanted(message: str = "this needs the token, or the password") -> Response:
    response = problem(
        401,
        "token-wanted",
        message,
        remedy="open the URL that `framebus up` printed, or give it as password to any user name",
    )
    # Who comes with a password that a browser remembers is challenged all the same: it would send
    # the wrong one for ever otherwise.
    quiet = _BY_SCRIPT in request.args and request.authorization is None
    response.headers["WWW-Authenticate"] = _QUIET if quiet else _CHALLENGE
    return response
