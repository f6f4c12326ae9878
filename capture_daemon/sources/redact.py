"""What of a source's text people may see. What is not known to be harmless is "…".

Two forms: `public` is for whoever may look (kind, host and port, nothing more), `known` for
operators (the parts of it that are known to carry no secret). There is no list of secret words: a
camera's maker finds another one every year. It does not know who asks or why. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

HIDDEN = "…"


def words(text: str) -> frozenset[str]:
    """Return the words of a text, for tables of names."""
    return frozenset(text.split())


_SCHEMES = words(
    "ftp gopher hls http https mmsh mmst rist rtmp rtmpe rtmps rtmpt rtmpte rtmpts rtp rtsp "
    "rtsps sctp sftp srt srtp tcp tls udp udplite"
)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[\w.-]*)(:[0-9]{1,5})?")
_SEGMENT = re.compile(
    r"[0-9]{1,3}|(?:(?:api|axis|bin|cam|camera|cameras|cgi|channel|channels|feed|h264|h265|hevc|"
    r"high|image|img|ipcam|jpeg|jpg|live|low|main|media|mjpeg|mjpg|mpeg|mpeg4|nph|onvif|play|"
    r"preview|profile|realmonitor|snap|snapshot|stream|streaming|streams|sub|track|trackID|v1|v2|"
    r"video|video\.mjpg|videostream|view|webcam|ws)[_-]?[0-9]{0,3}[_-]?)+"
    r"(?:\.(?:avi|cgi|flv|jpeg|jpg|m3u8|mjpeg|mjpg|mkv|mp4|mpeg|sdp|ts))?",
    re.IGNORECASE,
)
"""What cameras and servers call their streams; any other segment may be a key."""
_KEYS = words(
    "action advance_headers buffer camera channel codec compression extra_headers fps framerate "
    "height id latency mode proto quality rate resolution rotation size stream subtype timeout "
    "tls transportmode type unicast video width"
)
"""Parameters of a query whose names may be shown. Values never are."""
_SHORTEST = 4
"""Characters of what is looked for in other texts: "1" is in all of them."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL taken apart as far as its secrets could possibly reach."""

    scheme: str
    userinfo: str | None
    place: str
    """Host and port; "…" where it cannot be told where they are."""
    path: str
    query: str | None
    fragment: str | None
    sound: bool
    """False when the text can be read in two ways."""

    @property
    def public(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.place}"

    @property
    def known(self) -> str:
        """With it what is known to be harmless of the rest."""
        if not self.sound:
            return self.public
        userinfo = "" if self.userinfo is None else f"{HIDDEN}@"
        query = "" if self.query is None else "?" + _query(self.query)
        fragment = "" if self.fragment is None else "#" + HIDDEN
        path = "/".join(_segment(each) for each in self.path.split("/"))
        return f"{self.scheme}://{userinfo}{self.place}{path}{query}{fragment}"


def split(text: str) -> Url | None:
    """Take a URL apart; None for a text that is none.

    The user information ends at the last "@" before the path (RFC 3986). An "@" after that may
    belong to a password with an unescaped "/", "?" or "#" in it: then only an address as the host
    says that it does not.
    """
    found = _URL.fullmatch(text)
    if found is None:
        return None
    scheme, rest = found[1].lower(), found[2]
    ends = [at for at in map(rest.find, "/?#") if at >= 0]
    end = min(ends, default=len(rest))
    userinfo, at, place = rest[:end].rpartition("@")
    rest, mark, fragment = rest[end:].partition("#")
    path, question, query = rest.partition("?")
    astray = "@" in rest + fragment and not _is_address(place)
    sound = scheme in _SCHEMES and not astray and _PLACE.fullmatch(place) is not None
    sound = sound and (not place.startswith("[") or _is_address(place))
    return Url(
        scheme=scheme if scheme in _SCHEMES else HIDDEN,
        userinfo=userinfo if at else None,
        place=place if sound else HIDDEN,
        path=path,
        query=query if question else None,
        fragment=fragment if mark else None,
        sound=sound,
    )


def public(text: str) -> str:
    """Return scheme, host and port of a URL; "…" of anything else."""
    url = split(text)
    return HIDDEN if url is None else url.public


def known(text: str) -> str:
    """Return what is known to be harmless of a URL; "…" of anything else."""
    url = split(text)
    return HIDDEN if url is None else url.known


def redact(text: str) -> str:
    """Return a text that may quote URLs with only scheme, host and port of each."""
    return _URL_IN_TEXT.sub(lambda found: public(found[0]), text)


def secrets_of(text: str) -> frozenset[str]:
    """Return the parts of a URL that `known` leaves out, each also as it may be quoted elsewhere.

    Of anything else, the text itself.
    """
    url = split(text)
    if url is None or not url.sound:
        return spelled([text])
    user, _, password = (url.userinfo or "").partition(":")
    parts = [url.userinfo or "", user, password, url.fragment or ""]
    target = text.split("://", 1)[1].rpartition(url.place)[2]
    if target != url.known.rpartition(url.place)[2]:
        parts.append(target)
    segments = [each for each in url.path.split("/") if _segment(each) == HIDDEN]
    parts += segments
    if segments:
        parts.append(url.path)
    for pair in (url.query or "").split("&"):
        key, _, value = pair.partition("=")
        parts += [each for each in (value, key) if not _SEGMENT.fullmatch(each)]
    if url.query and _query(url.query) != url.query:
        parts.append(url.query)
    return spelled([text, *(part for part in parts if part not in _KEYS)])


def without(text: str, secrets: Iterable[str]) -> str:
    """Return a text with each of these in it as "…"."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def spelled(parts: Iterable[str]) -> frozenset[str]:
    """Return the parts as they are, decoded and encoded; not those that are in every text."""
    spelled: set[str] = set()
    for part in parts:
        plain = unquote(part)
        spelled |= {part, plain, quote(plain), quote(plain, safe=""), repr(plain)[1:-1]}
    return frozenset(each for each in spelled if len(each) >= _SHORTEST)


def _segment(text: str) -> str:
    return text if not text or _SEGMENT.fullmatch(text) else HIDDEN


def _query(text: str) -> str:
    shown = []
    for pair in text.split("&"):
        key, equals, value = pair.partition("=")
        name = key if key in _KEYS else HIDDEN
        shown.append(f"{name}={HIDDEN}" if equals and value and name != HIDDEN else name)
    return "&".join(shown)


def _is_address(place: str) -> bool:
    found = _PLACE.fullmatch(place)
    if found is None:
        return False
    import ipaddress  # few URLs are in doubt

    try:
        ipaddress.ip_address(found[1].strip("[]"))
    except ValueError:
        return False
    return True
