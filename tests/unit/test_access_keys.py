"""What is signed, compared and counted."""

from __future__ import annotations

from pathlib import Path

from framebus.serving.access import Credential

from web_workers.access.attempt_limiter import ADDRESSES, AGAIN_S, AT_ONCE, AttemptLimiter
from web_workers.access.keys import LINK_S, Keys


def keys(secret: str = "correct horse", token: str = "token", now_s: float = 1e9) -> Keys:
    return Keys(Credential(Path("x"), secret, token), clock=lambda: now_s)


def test_only_the_secret_matches() -> None:
    assert keys().matches("correct horse")
    for wrong in ("", "correct hors", "correct horse ", "token", "\udcff", "x" * 100_000):
        assert not keys().matches(wrong)


def test_any_worker_knows_a_session_and_none_a_forged_one() -> None:
    id_, cookie = keys().session()
    assert keys().session_of(cookie) == id_
    for forged in ("", "x", cookie[:-1], cookie[:-2] + "AA", f"{cookie}x", keys().link("camera")):
        assert keys().session_of(forged) is None


def test_sessions_links_and_cookies_end_with_the_secret_and_with_the_token() -> None:
    _, cookie = keys().session()
    link = keys().link("camera")
    for other in (keys(secret="another horse"), keys(token="another")):
        assert other.session_of(cookie) is None
        assert not other.link_opens(link, "camera")
        assert other.cookie != keys().cookie


def test_a_link_opens_one_camera_for_an_hour() -> None:
    link = keys(now_s=1000.5).link("front")
    assert keys(now_s=1000 + LINK_S - 1).link_opens(link, "front")
    assert not keys(now_s=1000 + LINK_S).link_opens(link, "front")
    assert not keys(now_s=1001).link_opens(link, "garden")
    assert not keys(now_s=1001).link_opens(link + "x", "front")
    assert not keys(now_s=1001).link_opens(keys().session()[1], "front")


def test_a_csrf_token_is_of_one_session() -> None:
    assert keys().csrf_matches("one", keys().csrf("one"))
    assert not keys().csrf_matches("two", keys().csrf("one"))
    assert not keys().csrf_matches("one", "")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_has_some_wrong_tries_and_then_one_every_while() -> None:
    clock = Clock()
    tries = AttemptLimiter(clock)
    for _ in range(AT_ONCE):
        assert tries.wait_s("192.0.2.1") == 0
        tries.wrong("192.0.2.1")
    assert 0 < tries.wait_s("192.0.2.1") <= AGAIN_S
    assert tries.wait_s("192.0.2.2") == 0, "of another address"
    clock.now_s += AGAIN_S
    assert tries.wait_s("192.0.2.1") == 0
    tries.wrong("192.0.2.1")
    assert tries.wait_s("192.0.2.1") > 0
    clock.now_s += AGAIN_S * AT_ONCE
    assert tries.wait_s("192.0.2.1") == 0


def test_all_addresses_of_a_v6_network_are_one_and_a_mapped_v4_is_itself() -> None:
    tries = AttemptLimiter(Clock())
    for number in range(AT_ONCE):
        tries.wrong(f"2001:db8::{number:x}")
        tries.wrong("::ffff:192.0.2.9")
    assert tries.wait_s("2001:db8::ffff") > 0
    assert tries.wait_s("2001:db8:0:1::1") == 0
    assert tries.wait_s("192.0.2.9") > 0


def test_memory_of_addresses_is_bounded_and_keeps_those_that_tried_last() -> None:
    tries = AttemptLimiter(Clock())
    for number in range(ADDRESSES + 10):
        for _ in range(AT_ONCE):
            tries.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert tries.wait_s("10.0.0.0") == 0
    assert tries.wait_s(f"10.0.{(ADDRESSES + 9) >> 8}.{(ADDRESSES + 9) & 255}") > 0
