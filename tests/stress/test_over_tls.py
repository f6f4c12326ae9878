from __future__ import annotations

import shutil

import pytest

from tests.helpers.certificate import OPENSSL
from tests.programs import nginx
from tests.stress import over_tls


@pytest.mark.skipif(
    None in (nginx.NGINX, OPENSSL, shutil.which("curl")),
    reason="nginx, openssl and curl are wanted",
)
@pytest.mark.timeout(300)
def test_viewers_behind_nginx_get_frames_over_tls_until_they_leave() -> None:
    """No speed is asserted: machines are busy."""
    result = over_tls.run(viewers=5, seconds=5.0, workers=1, width=640, height=480)
    assert (result.viewers, result.failed) == (5, 0)
    assert result.least_share > 0
