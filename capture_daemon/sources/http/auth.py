"""Name and password for a server that asks for them: Basic (RFC 7617) and Digest (RFC 7616).

Nothing is sent before it is asked for, so that a server that wants a digest
never sees the password; what it has asked for once is sent with the next request by itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# A server may send what makes a pattern look at the same bytes again and again, and no other thread
# runs meanwhile: each goes over them once (no word is begun in its middle, nothing is given back).
_CHALLENGE = re.compile(r"(?:\A|,)\s*+([A-Za-z][\w-]*+)(?=\s|,|\Z)(?!\s*+=)")
_PARAMETER = re.compile(
    r'(?<![\w-])([\w-]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^\s,]*+))'
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)')
_ALGORITHMS = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}
"""hashlib's names of them, the strongest last."""
_STRENGTHS = ("basic", *_ALGORITHMS.values())
_SESSION = "-sess"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and its password."""

    name: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """Return the Authorization header of the Basic scheme."""
        pair = f"{self.name}:{self.password}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


@dataclass(slots=True)
class Challenge:
    """What a server wants: a scheme in small letters, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]
    count: int = 0
    """How often its nonce was used."""

    @property
    def algorithm(self) -> str:
        """The algorithm in small letters; MD5 where none is named."""
        return self.parameters.get("algorithm", "MD5").lower()

    @property
    def hash_name(self) -> str:
        """hashlib's name of the algorithm; empty if it is not known."""
        return _ALGORITHMS.get(self.algorithm.removesuffix(_SESSION), "")

    @property
    def stale(self) -> bool:
        """Whether only the nonce was too old, and the password right."""
        return self.parameters.get("stale", "").lower() == "true"


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Take WWW-Authenticate headers apart, each of which may hold several challenges."""
    found: list[Challenge] = []
    for header in headers:
        starts = list(_CHALLENGE.finditer(_without_quoted(header)))
        ends = [match.start() for match in starts[1:]] + [len(header)]
        for start, end in zip(starts, ends, strict=False):
            parameters = {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
                for name, quoted, plain in _PARAMETER.findall(header[start.end() : end])
            }
            found.append(Challenge(start[1].lower(), parameters))
    return found


def _without_quoted(header: str) -> str:
    """Return the header with what is quoted blanked out, at the same length."""
    return _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), header)


def preferred(offered: Iterable[Challenge]) -> Challenge | None:
    """Return what we can answer best; None if we can answer none."""
    usable = [each for each in offered if _can_answer(each)]
    return max(usable, key=_strength, default=None)


def _strength(challenge: Challenge) -> int:
    return _STRENGTHS.index(challenge.hash_name if challenge.scheme == "digest" else "basic")


def _can_answer(challenge: Challenge) -> bool:
    if challenge.scheme != "digest":
        return challenge.scheme == "basic"
    quality = _qualities(challenge)
    known = challenge.hash_name in hashlib.algorithms_available
    return known and "nonce" in challenge.parameters and (not quality or "auth" in quality)


def _qualities(challenge: Challenge) -> list[str]:
    return [word.strip().lower() for word in challenge.parameters.get("qop", "").split(",") if word]


def digest(
    credentials: Credentials, challenge: Challenge, *, target: str, client_nonce: str
) -> str:
    """Return a GET's Authorization header that answers `challenge`, and count its nonce's use.

    `target` is the request's, path and query.
    """
    challenge.count += 1
    said = challenge.parameters
    realm, nonce = said.get("realm", ""), said["nonce"]
    count = f"{challenge.count:08x}"

    def hashed(*words: str) -> str:
        return hashlib.new(
            challenge.hash_name, ":".join(words).encode(), usedforsecurity=False
        ).hexdigest()

    secret = hashed(credentials.name, realm, credentials.password)
    if challenge.algorithm.endswith(_SESSION):
        secret = hashed(secret, nonce, client_nonce)
    request = hashed("GET", target)
    quality = "auth" if _qualities(challenge) else ""
    middle = (count, client_nonce, quality) if quality else ()
    name = credentials.name
    if said.get("userhash", "").lower() == "true":
        name = hashed(name, realm)
    fields = {
        "username": _quoted(name),
        "realm": _quoted(realm),
        "nonce": _quoted(nonce),
        "uri": _quoted(target),
        "response": _quoted(hashed(secret, nonce, *middle, request)),
        "algorithm": said.get("algorithm", ""),
        "opaque": _quoted(said["opaque"]) if "opaque" in said else "",
        "qop": quality,
        "nc": count if quality else "",
        "cnonce": _quoted(client_nonce) if quality else "",
        "userhash": "true" if name != credentials.name else "",
    }
    return "Digest " + ", ".join(f"{key}={value}" for key, value in fields.items() if value)


def _quoted(text: str) -> str:
    printable = "".join(letter for letter in text if letter.isprintable())
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Authorizer:
    """One server's credentials, and what it has asked for until now."""

    def __init__(self, credentials: Credentials | None) -> None:
        self.credentials = credentials
        self._challenge: Challenge | None = None
        self._accepted = False

    def header(self, target: str) -> str:
        """Return the Authorization header for a GET; empty while nothing was asked for."""
        if self.credentials is None or self._challenge is None:
            return ""
        if self._challenge.scheme == "basic":
            return self.credentials.basic()
        nonce = secrets.token_hex(8)
        return digest(self.credentials, self._challenge, target=target, client_nonce=nonce)

    def refused(self, offered: Iterable[str], *, sent: bool) -> bool:
        """Take note of a refusal and what it offers; tell whether it is worth another request.

        `sent`: credentials went with the request that was refused.
        """
        if self.credentials is None:
            return False
        asked = challenges(offered)
        challenge = preferred(asked)
        if not asked and not sent:
            challenge = Challenge("basic", {})  # servers that refuse without a word
        if challenge is None:
            return False
        before, self._challenge = self._challenge, challenge
        accepted, self._accepted = self._accepted, False
        if not sent or before is None:
            return True
        stronger = before.scheme == "basic" and challenge.scheme == "digest"
        # The nonce may be another time's, whether the server says so or not.
        return stronger or (challenge.scheme == "digest" and (accepted or challenge.stale))

    def accepted(self) -> None:
        """Take note that what was sent was right."""
        self._accepted = True
