"""A certificate of a test's own, for localhost."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl")


def make_certificate(directory: Path, *, names: int = 1) -> tuple[Path, Path]:
    """Make a certificate that signs itself, of so many names; its file and its key's."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    assert OPENSSL is not None
    localhosts = ["DNS:localhost", *(f"DNS:{number}.localhost" for number in range(1, names))]
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", f"subjectAltName={','.join(['IP:127.0.0.1', *localhosts])}"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
        timeout=50,
    )
    return certificate, key
