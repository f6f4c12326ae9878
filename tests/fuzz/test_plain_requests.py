"""What is read in the loop of any request, gunicorn's parser reads likewise; so are answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from framebus.secret_files import make_secret, read_secret
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.helpers.runtimes import private_runtime
from tests.rigs.both_paths import BothPaths, get
from tests.rigs.bus import Bus, jpeg
from web_workers.admission import plain_request
from web_workers.app import create_app
from web_workers.settings import OPEN, Settings

TOKEN = "<token>"
METHODS = st.sampled_from(["GET", "HEAD", "GET ", "get", "POST", "HEAD\t", ""])
PATHS = st.sampled_from(
    ["/snapshot", "/", "/capture", "/cameras/camera/snapshot", "//x/snapshot", "/webcam/snapshot/"]
) | st.text("/.%&;?#=snapho~\x00é \\", max_size=12)
QUERIES = st.sampled_from(
    ["", "?action=snapshot", "?action=snapshot_0", "?ago=1s", "?placeholder=2", "?signed=a.b"]
) | st.text("?&=;%#+action1\x7f ", max_size=10).map("?{}".format)
VERSIONS = st.sampled_from(["HTTP/1.1"] * 5 + ["HTTP/1.0", "HTTP/2.0", "HTTP/1.10", "http/1.1", ""])
NAMES = st.sampled_from(
    [
        *("Host", "host", "Connection", "Cookie", "Accept", "X-Forwarded-For", "X-Forwarded-Host"),
        *("X-Forwarded-Proto", "X-Forwarded-Prefix", "Sec-Fetch-Site", "Authorization", "Proxy"),
        *("Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "TE", "If-None-Match"),
        *("X_Under", "Script-Name", "SCRIPT_NAME", " Space", "Colon ", "", "Content-Type"),
    ]
) | st.text("aZ-_!:\x00 é", max_size=5)
VALUES = st.sampled_from(
    [
        *("", "localhost", "127.0.0.1:80", "elsewhere.example", "close", "Keep-Alive", "close, te"),
        *("Basic !!!", "Basic YTo8", "Basic OmE=", "Bearer", "Bearer x=y, z", "Digest a*=b'c'd"),
        *("http", "1.2.3.4, unix", "/pre/fix", 'a=b; c="d\\', "0", "chunked", f"Bearer {TOKEN}"),
    ]
) | st.text("aZ,;=\"\\ \t:\x00\x7fé\r\n*'", max_size=12)
ENDS = st.sampled_from(["\r\n"] * 8 + ["\n", "\r", "\r\n ", "\r\n\r\n"])
FIELDS = st.lists(
    st.tuples(NAMES, VALUES, st.sampled_from([": ", ":", ":\t ", " :"]), ENDS), max_size=5
)
HOSTS = st.sampled_from(["Host: localhost\r\n"] * 4 + ["Host:127.0.0.1 \r\n", ""])


@st.composite
def requests(draw: st.DrawFn) -> str:
    line = f"{draw(METHODS)} {draw(PATHS)}{draw(QUERIES)} {draw(VERSIONS)}\r\n"
    fields = "".join(f"{name}{colon}{value}{end}" for name, value, colon, end in draw(FIELDS))
    return f"{line}{draw(HOSTS)}{fields}\r\n"


@pytest.fixture(scope="module")
def paths() -> Iterator[tuple[str, list[BothPaths]]]:
    """A web tier that is open and one that asks for the token; both trust a proxy."""
    with private_runtime() as runtime:
        bus = Bus(runtime, fps=0.1)
        bus.publish(jpeg(1))
        state = Path(runtime) / "state"
        state.mkdir()
        make_secret(state / "web.token")
        access = replace(OPEN, proxies=("127.0.0.1",))
        guarded = replace(access, view="token", control="token")
        both = [
            BothPaths(create_app(Settings(runtime, access=each, state=state)))
            for each in (access, guarded)
        ]
        yield read_secret(state / "web.token"), both
        for each in both:
            each.close()
        bus.close()


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests())
@example(get("/snapshot", host="localhost").decode())
@example(get("/snapshot", f"Authorization: Bearer {TOKEN}", host="localhost").decode())
def test_both_ways_agree_on_every_request(paths: tuple[str, list[BothPaths]], text: str) -> None:
    token, (open_, guarded) = paths
    request = text.replace(TOKEN, token).encode("latin-1")
    plain = plain_request.environ_of(request, "127.0.0.1")
    if plain is not None:
        theirs = open_.environ(request)
        assert theirs is not None
        ours = {name for name in plain if name.startswith("HTTP_")}
        assert ours == {name for name in theirs if name.startswith("HTTP_")}
        assert all(theirs[name] == value for name, value in plain.items())
        parsed = open_.parsed(request)
        assert parsed.should_close() == plain_request.is_last(plain)
        assert parsed.body.read() == b""
    for both in (open_, guarded):
        answer = both.direct(request)
        if answer is not None:
            assert answer == both.threaded(request)
