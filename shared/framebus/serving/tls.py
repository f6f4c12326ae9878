"""Looks at a certificate and its key as the web tier's workers will, before one of them has to.

A worker that cannot use them ends gunicorn: at its start, and at a reload with all who watch.
"""

from __future__ import annotations

from pathlib import Path

from framebus.errors import UsageError, refused


def check_pair(certfile: Path, keyfile: Path) -> None:
    """Raise UsageError unless these are a certificate and its key.

    Raises NoPermission and OutOfResources if they cannot be read.
    """
    for file in (certfile, keyfile):
        try:
            found = file.is_file()
        except OSError:
            found = True  # where we may not look; what loads it says why
        if not found:
            raise UsageError(f"there is no file {file}: name a PEM file, for TLS")
    import ssl  # it costs a command's start, and few serve HTTPS

    def passphrase() -> str:
        raise UsageError(
            f"{keyfile} has a passphrase, which nobody is there to type: name a key without one"
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certfile, keyfile, passphrase)
    except ssl.SSLError as error:
        raise UsageError(
            f"{certfile} and {keyfile} cannot serve as a certificate and its key "
            f"({error.reason or 'no PEM'}): name two PEM files that belong together"
        ) from error
    except OSError as error:
        remedy = "run as a user that may, or give it leave"
        raise refused(error, f"cannot read {certfile} or {keyfile}, for TLS", remedy) from error
