"""Whose certificate an https source accepts: the key `tls` of its URL's query.

`tls=insecure` accepts any, `tls=sha256:HEX` the one with this SHA-256 fingerprint and no other,
whoever made it out, to whatever name and for however long; without it, the system's authorities
vouch for the name. The key is ours and is never sent. With any other value it is the camera's own,
and is.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from dataclasses import dataclass

from capture_daemon.sources.base import SourceUnusable

KEY = "tls"
_INSECURE = "insecure"
_PIN = re.compile(r"sha256:((?:[0-9a-f]{2}(?::|%3a)?){31}[0-9a-f]{2})\Z", re.IGNORECASE)


class WrongCertificate(ssl.SSLError):
    """The certificate is not the pinned one; `fingerprint` is its own."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(0, "the certificate is not the pinned one")
        self.fingerprint = fingerprint


@dataclass(frozen=True, slots=True)
class Trust:
    """What is asked of a server's certificate."""

    verified: bool = True
    """The system's authorities must vouch for it and its name."""
    fingerprint: str = ""
    """The one to have, SHA-256 in small hexadecimal digits; empty: none is pinned."""

    def context(self) -> ssl.SSLContext:
        """Return how to speak TLS.

        Where nobody vouches for the name anyway, a camera's old protocols and short keys are
        accepted too: they are why its certificate cannot be mended.
        """
        context = ssl.create_default_context()
        if not self.verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context

    def check(self, found: str) -> None:
        """Raise WrongCertificate if the certificate with this fingerprint is not the pinned one."""
        if self.fingerprint and found != self.fingerprint:
            raise WrongCertificate(found)


VERIFIED = Trust()
ANY = Trust(verified=False)


def fingerprint(certificate: bytes | None) -> str:
    """Return the SHA-256 of a certificate (DER), in small hexadecimal digits."""
    return hashlib.sha256(certificate or b"").hexdigest()


def taken_from(query: str) -> tuple[str, Trust]:
    """Return a URL's query without our key, and what the key says.

    Raises SourceUnusable: what it pins is no fingerprint.
    """
    kept: list[str] = []
    trust = VERIFIED
    for field in query.split("&"):
        key, _, value = field.partition("=")
        if key == KEY and value.lower() == _INSECURE:
            trust = ANY
        elif key == KEY and value.lower().startswith(("sha256:", "sha256%3a")):
            pin = _PIN.match(value.replace("%3A", ":").replace("%3a", ":"))
            if pin is None:
                raise SourceUnusable(
                    "bad-url",
                    "tls=sha256: is followed by the 64 hexadecimal digits of a fingerprint",
                    remedy="write tls=sha256: and the fingerprint, or tls=insecure, or leave "
                    "it out",
                )
            trust = Trust(verified=False, fingerprint=pin[1].replace(":", "").lower())
        else:
            kept.append(field)
    return "&".join(kept), trust
