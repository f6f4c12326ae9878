"""What an HTTP failure means to a person: the one place where it becomes a SourceError."""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus

from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.sources.http_target import Target
from capture_daemon.sources.http_wire import Head

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
"""What a server says instead may quote the request."""


def unreachable(target: Target, error: Exception) -> SourceError:
    """Translate what stopped a connection before its answer."""
    number = (error.errno or 0) if isinstance(error, OSError) else 0
    where = f"{target.host}:{target.port}"
    match error:
        case socket.gaierror():
            return SourceError(
                "no-such-host",
                f"cannot find {target.host}: {error.strerror}",
                remedy="check the name, or use the address",
                errno=number,
            )
        case ssl.SSLCertVerificationError():
            return SourceUnusable(
                "bad-certificate",
                f"the certificate of {where} is not trusted: {error.verify_message}",
                remedy="name its authority's certificate in SSL_CERT_FILE",
            )
        case ssl.SSLError():
            return SourceError(
                "no-tls",
                f"{where} does not speak TLS as we do: {error.reason or error}",
                remedy="try http:// instead of https://",
            )
        case TimeoutError():
            return SourceError(
                "no-answer",
                f"{where} does not answer",
                remedy="check that it is switched on and that no firewall is between",
                errno=number,
            )
        case ConnectionRefusedError():
            return SourceError(
                "refused",
                f"nothing listens at {where}",
                remedy="start the server there, or check the port",
                errno=number,
            )
        case _:
            return SourceError(
                "unreachable",
                f"cannot get a stream from {where}: {error}",
                remedy="check the address with curl -v",
                errno=number,
            )


def refused(target: Target, head: Head) -> SourceError:
    """Translate an answer whose status is not 200."""
    said = f"{target.shown} answers {head.status} {_PHRASES.get(head.status, '')}".rstrip()
    match head.status:
        case 401:
            return SourceUnusable("unauthorized", said, remedy=_credentials(target, head))
        case 403:
            return SourceUnusable("forbidden", said, remedy="give that user the right to watch")
        case 404:
            remedy = "check the path (often /stream, /?action=stream, /video)"
            return SourceError("not-found", said, remedy=remedy)
        case _:
            return SourceError("bad-status", said, remedy="look into that server's log")


def _credentials(target: Target, head: Head) -> str:
    offered = head.headers.get("www-authenticate", "").partition(" ")[0]
    if offered and offered.lower() != "basic":
        return f"it wants {offered}, which only --source ffmpeg:URL can do"
    if target.authorization:
        return "check the name and password in the URL"
    return "put them into the URL: http://NAME:PASSWORD@HOST/PATH"
