"""The site of deploy/nginx, as it is but for its addresses and its certificate."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.certificate import make_certificate

SITE = Path(__file__).parents[2] / "deploy" / "nginx" / "framebus.conf"


def site_at(directory: Path, upstream: int, plain: int, tls: int) -> str:
    """The site as it is, but for its addresses and its certificate, which is made in `directory`.

    It is served without TLS as well, which the server that sends everybody there gives way to.
    """
    site = SITE.read_text()
    certificate, key = make_certificate(directory)
    for old, new in (
        (redirect(site), ""),
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{tls} ssl http2; listen 127.0.0.1:{plain};"),
        ("listen [::]:443 ssl http2;", ""),
        ("/etc/ssl/framebus/fullchain.pem", str(certificate)),
        ("/etc/ssl/framebus/privkey.pem", str(key)),
    ):
        assert site.count(old) == 1
        site = site.replace(old, new)
    return site


def redirect(site: str) -> str:
    """The part of the site that sends everybody who comes without TLS there."""
    return site[site.index("# Without the query") : site.index("server {\n    # Over HTTP/2")]
