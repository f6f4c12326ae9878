"""A certificate and its key, looked at before a worker that cannot use them ends the web tier."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from framebus.errors import UsageError
from framebus.options.chosen import Chosen
from framebus.serving import access, address

from tests.helpers.certificate import OPENSSL, make_certificate

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is wanted")


def _choose(certificate: Path, key: Path) -> access.Access:
    given = {"certfile": str(certificate), "keyfile": str(key)}
    return access.choose(Chosen(given), address.parse("127.0.0.1:8080"))


def test_only_a_certificate_with_its_own_key_is_accepted(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    assert _choose(certificate, key).scheme == "https"
    (tmp_path / "other").mkdir()
    _, foreign = make_certificate(tmp_path / "other")
    for pair in ((certificate, foreign), (key, key), (certificate, certificate)):
        with pytest.raises(UsageError, match="name two PEM files that belong together"):
            _choose(*pair)


def test_a_key_with_a_passphrase_is_refused_and_nobody_asked_for_it(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    locked = tmp_path / "locked.pem"
    assert OPENSSL is not None
    subprocess.run(
        [OPENSSL, "pkey", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked],
        check=True,
        capture_output=True,
        timeout=50,
    )
    with pytest.raises(UsageError, match="name a key without one"):
        _choose(certificate, locked)
