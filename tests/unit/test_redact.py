"""Wherever a secret stands in a source, nobody is shown it."""

from __future__ import annotations

import shlex
from urllib.parse import quote, unquote, urlsplit

import pytest
from framebus.errors import UsageError
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from capture_daemon.settings.spec import SourceSpec, parse
from capture_daemon.sources import redact

SECRETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_categories=["Cc", "Zs"]),
    min_size=1,
    max_size=24,
).map(lambda text: f"Zq7f{text}Xw9k")
"""With ends that no harmless word has; anything printable may be between them."""
URLS = (
    "{scheme}://admin:{secret}@{host}/live",
    "{scheme}://{secret}@{host}",
    "{scheme}://{secret}:@{host}/",
    "{scheme}://:{secret}@{host}/",
    "{scheme}://{secret}:{secret}@{host}/1",
    "{scheme}://{host}/{secret}",
    "{scheme}://{host}/app/{secret}/playlist.m3u8",
    "{scheme}://{host}/user=admin&password={secret}&channel=1&stream=0.sdp",
    "{scheme}://{host}/video?action=stream&access_token={secret}",
    "{scheme}://{host}/video?{secret}",
    "{scheme}://{host}/video?{secret}=1&size=2",
    "{scheme}://{host}/video?size={secret}",
    "{scheme}://{host}/video#{secret}",
    "{scheme}://{host}?pw={secret}",
)
PLACES = (
    "{url}",
    "ffmpeg:{url}",
    "ffmpeg:-i {quoted}",
    "ffmpeg:-f mpjpeg -i {quoted} -vf hflip",
    "ffmpeg:-headers {secret_quoted} -i rtsp://camera/1",
    "ffmpeg:-cookies {secret_quoted} -i http://camera/1",
    "ffmpeg:-passphrase {secret_quoted} -i srt://camera:9000",
    "ffmpeg:-rtsp_transport tcp -user_agent {secret_quoted} -i rtsp://camera/1",
    "ffmpeg:-no_such_option {secret_quoted} -i rtsp://camera/1",
    "ffmpeg:-i rtsp://camera/1 {secret_quoted}",
    "ffmpeg:-i rtsp://camera/1 -i {quoted}",
    "file:{url}",
    "v4l2:{url}",
    "htp:{url}",
    "{secret}:{url}",
    "{secret}",
)


def quotable(parsed: SourceSpec) -> list[str]:
    """What libraries and programs may say of a source: the parts that they take it apart into."""
    if parsed.kind == "ffmpeg":
        words = shlex.split(parsed.argument)
        if "-i" not in words:
            words = [parsed.argument]
        return [*words, *map(repr, words), *map(unquote, words)]
    if parsed.kind != "http":
        return []
    parts = urlsplit(parsed.argument)
    said = [parts.path, parts.query, parts.fragment, parts.username or "", parts.password or ""]
    target = parsed.argument.partition(parts.netloc)[2]
    return [*said, target, *map(unquote, said), *map(repr, said)]


@settings(max_examples=1000, deadline=None)
@given(
    url=st.sampled_from(URLS),
    place=st.sampled_from(PLACES),
    scheme=st.sampled_from(["http", "https", "rtsp", "rtmp", "srt", "udp"]),
    host=st.sampled_from(["camera", "192.0.2.7", "192.0.2.7:554", "[2001:db8::1]:81", "a.example"]),
    secret=SECRETS,
    encoded=st.booleans(),
)
@example(URLS[0], PLACES[0], "http", "127.0.0.1:9", "Zq7f#34Xw9k", False)
@example(URLS[0], PLACES[0], "http", "127.0.0.1:9", "Zq7f/34Xw9k", False)
@example(URLS[0], PLACES[0], "http", "127.0.0.1:9", "Zq7f?34Xw9k", False)
@example(URLS[0], PLACES[0], "http", "127.0.0.1:9", "Zq7f:34Xw9k", False)
@example(URLS[0], PLACES[1], "rtsp", "127.0.0.1:9", "Zq7f@34Xw9k", False)
def test_no_secret_is_shown_wherever_it_stands(
    url: str, place: str, scheme: str, host: str, secret: str, encoded: bool
) -> None:
    written = quote(secret, safe="") if encoded else secret
    url = url.format(scheme=scheme, host=host, secret=written)
    text = place.format(
        url=url, quoted=shlex.quote(url), secret=written, secret_quoted=shlex.quote(written)
    )
    try:
        parsed = parse(text)
    except UsageError as error:
        shown = str(error)
    else:
        quoted = " ".join(["cannot open", parsed.argument, *quotable(parsed)])
        shown = " ".join([parsed.text, parsed.public, repr(parsed), parsed.conceal(quoted)])
    for form in (secret, written):
        assert form not in shown
    assert "Zq7f" not in shown
    assert "Xw9k" not in shown


@given(secret=SECRETS)
def test_a_text_that_quotes_a_url_shows_where_it_leads_only(secret: str) -> None:
    assume("/" not in secret)
    shown = redact.redact(f"while opening rtsp://me:{secret}@192.0.2.7/{secret} it failed")
    assert shown.startswith("while opening rtsp://192.0.2.7 it failed") or "Zq7f" not in shown


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("http://cam:8080/?action=stream", "http://cam:8080/?action=…"),
        ("https://[::1]/axis-cgi/mjpg/video.cgi", "https://[::1]/axis-cgi/mjpg/video.cgi"),
        ("rtsp://cam/Streaming/Channels/101", "rtsp://cam/Streaming/Channels/101"),
        ("rtsp://u:p@ss@host/1", "rtsp://…@host/1"),
        ("udp://@239.0.0.1:1234", "udp://…@239.0.0.1:1234"),
        ("http://cam/live#top", "http://cam/live#…"),
        ("http://cam/a@b", "http://…"),
        ("http://admin:12/34@cam/", "http://…"),
        ("http://192.0.2.7/user=a&password=p@ss", "http://192.0.2.7/…"),
        ("http://admin:secret:80/", "http://…"),
        ("telepathy://cam/", "…://…"),
        ("cam/live", "…"),
    ],
)
def test_what_is_known_to_be_harmless_is_shown(url: str, known: str) -> None:
    assert redact.known(url) == known


def test_short_words_are_not_looked_for_in_other_texts() -> None:
    assert redact.without("a b c 123", redact.secrets_of("http://u:123@cam/")) == "a b c 123"
