"""What an HTTP failure means to a person: the one place where it becomes a SourceError.

Messages name host and port, and nothing else of a URL: its path and query may hold secrets.
"""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus

from framebus.contract.causes import SourceCode

from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.sources.http import auth
from capture_daemon.sources.http.response_parser import Head
from capture_daemon.sources.http.target import Target
from capture_daemon.sources.http.trust import KEY, WrongCertificate
from capture_daemon.sources.pictures import sniffing

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
"""What a server says instead may quote the request."""
_ADDRESSES = "often /stream, /?action=stream, /video.mjpg"


def unreachable(target: Target, error: OSError) -> SourceError:
    """Translate what stopped a connection before its answer."""
    code: SourceCode
    number = error.errno or 0
    match error:
        case socket.gaierror():
            code, message = "no-such-host", f"cannot find {target.host}: {error.strerror}"
            remedy = "check the name, or use the address"
        case ssl.SSLCertVerificationError() | WrongCertificate():
            return bad_certificate(target, error)
        case ssl.SSLError():
            number = 0  # OpenSSL's own is no system's
            code = "no-tls"
            message = f"{target.where} does not speak TLS as we do: {error.reason or error}"
            remedy = "try http:// instead of https://"
            if target.trust.verified:
                remedy += f", or {KEY}=insecure in the URL's query"
        case TimeoutError():
            code, message = "no-answer", f"{target.where} does not answer"
            remedy = (
                "check that it is switched on and that no firewall is between; "
                "it is given more time at each try"
            )
        case ConnectionRefusedError():
            code, message = "refused", f"nothing listens at {target.where}"
            remedy = "start the server there, or check the port"
        case _:
            code, message = "unreachable", f"cannot get a stream from {target.where}: {error}"
            remedy = "check the address with curl -v"
    return SourceError(code, message, remedy=remedy, errno=number)


def bad_certificate(target: Target, error: ssl.SSLError, fingerprint: str = "") -> SourceUnusable:
    """Return what to say of a certificate; `fingerprint` is its SHA-256, empty if unknown."""
    if isinstance(error, WrongCertificate):
        return SourceUnusable(
            "bad-certificate",
            f"the certificate of {target.where} is another than the one pinned",
            remedy="if it was renewed, and nobody is between: pin the new one, "
            f"{KEY}=sha256:{error.fingerprint} in the URL's query",
        )
    why = getattr(error, "verify_message", "") or str(error)
    key = "&" if "?" in target.path else "?"
    pin = f"{key}{KEY}=sha256:{fingerprint}" if fingerprint else f"{key}{KEY}=insecure"
    no_check = f"; {key}{KEY}=insecure accepts any" if fingerprint else ""
    return SourceUnusable(
        "bad-certificate",
        f"the certificate of {target.where} is not trusted: {why}",
        remedy=f"if it is your camera's own, append {pin} to the URL in quotes{no_check}",
    )


def refused(target: Target, head: Head, *, sent: bool = False) -> SourceError:
    """Translate an answer whose status is not 200; `sent`: our password went with the request."""
    said = f"{target.where} answers {head.status} {_PHRASES.get(head.status, '')}".rstrip()
    match head.status:
        case 401 | 407:
            return SourceUnusable("unauthorized", said, remedy=_credentials(target, head, sent))
        case 403:
            return SourceUnusable("forbidden", said, remedy="give that user the right to watch")
        case 404:
            return SourceError("not-found", said, remedy=f"check the path ({_ADDRESSES})")
        case 503:
            remedy = "it has no picture to give now: see that server's own page, or its log"
            return SourceError("bad-status", said, remedy=remedy)
        case _:
            return SourceError("bad-status", said, remedy="look into that server's log")


def no_pictures(target: Target, kind: str) -> SourceError:
    """Return what to say of a body that is no JPEG and no stream of them; `kind` is what it is."""
    if kind == sniffing.NOTHING:
        return no_picture(target)
    if sniffing.is_picture(kind):
        return SourceError(
            "not-jpeg",
            f"{target.where} sends {kind}",
            remedy="use its MJPEG address, if it has one; else let ffmpeg decode it: "
            "--source 'ffmpeg:-i URL'",
        )
    remedy = (
        f"use the stream's own address ({_ADDRESSES}); --source 'ffmpeg:-i URL' reads other kinds"
    )
    if kind.startswith(sniffing.COMPRESSED):
        remedy = (
            "have that server, or the proxy before it, send pictures as they are; "
            "framebus asks for no compression"
        )
    message = f"{target.where} sends no pictures, but {kind}"
    return SourceError("not-multipart", message, remedy=remedy)


def no_picture(target: Target) -> SourceError:
    """Return what to say of an answer without a body."""
    return SourceError(
        "no-picture",
        f"{target.where} answers and sends nothing",
        remedy="look into that server's log; it is asked again by itself",
    )


def away(target: Target, why: str, *, framebus: bool) -> SourceError:
    """Return what to say while a server shows something in place of its camera."""
    look = f"see {'https' if target.tls else 'http'}://{target.authority}/state" if framebus else ""
    return SourceError(
        "camera-away",
        f"the camera behind {target.where} is away{f' ({why})' if why else ''}",
        remedy=look
        or "look at that server: it shows a picture of its own in place of its camera's",
    )


def too_many_redirects(target: Target, most: int) -> SourceError:
    """Return what to say of redirects without end."""
    return SourceError(
        "too-many-redirects",
        f"{target.where} redirects more than {most} times",
        remedy="open it in a browser and use the address it ends at",
    )


def _credentials(target: Target, head: Head, sent: bool) -> str:
    if target.strange:
        there = f"{'https' if target.tls else 'http'}://{target.where}"
        return f"it was redirected to, and is not sent your password: name {there} in the source"
    if sent:
        return "check the name and password in the URL (what is special in them as %XX: @ is %40)"
    offered = auth.challenges(head.challenges)
    if offered and auth.preferred(offered) is None:
        return f"it wants {offered[0].scheme}, which only --source ffmpeg:URL may do"
    return "put them into the URL: http://NAME:PASSWORD@HOST/PATH"
