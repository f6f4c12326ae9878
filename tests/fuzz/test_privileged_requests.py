"""Any bytes as a request to the privileged helper, and any note in its reply."""

from __future__ import annotations

import json

from framebus.contract.words import DEVICE_LEVEL, Rung
from hypothesis import given, settings
from hypothesis import strategies as st

from capture_daemon.privileged.protocol import (
    REPLY_MAX,
    REQUEST_MAX,
    Refused,
    Reply,
    parse_reply,
    parse_request,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)
PORTS = st.from_regex(r"[0-9]{0,4}-?[0-9./\n]{0,12}") | st.text(max_size=20)
LINES = (
    st.binary(max_size=REQUEST_MAX + 20)
    | JSON.map(lambda value: json.dumps(value).encode() + b"\n")
    | st.builds(
        lambda verb, port: json.dumps({"verb": verb, "port": port}).encode() + b"\n",
        st.sampled_from([rung.value for rung in Rung]),
        PORTS,
    )
)


@settings(max_examples=300, deadline=None)
@given(line=LINES)
def test_any_line_is_a_request_of_a_known_verb_for_a_port_or_is_refused(line: bytes) -> None:
    try:
        request = parse_request(line)
    except Refused as refusal:
        assert refusal.error in ("malformed", "no-such-verb", "bad-port")
        return
    assert request.rung in DEVICE_LEVEL
    assert set(request.port) <= set("0123456789-.")
    assert not request.port.startswith((".", "-"))


@settings(max_examples=300, deadline=None)
@given(
    note=st.text() | st.text("é\0\\\N{PERSEVERING FACE}", min_size=900),
    error=st.sampled_from(["", "failed"]),
)
def test_a_reply_can_be_read_whatever_its_note(note: str, error: str) -> None:
    line = Reply(note, error).encode()
    assert line.endswith(b"\n")
    assert len(line) <= REPLY_MAX
    reply = parse_reply(line)
    assert reply.error == error
    assert note.startswith(reply.note)
