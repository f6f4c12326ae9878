from __future__ import annotations

import json

from framebus.control.protocol import ProtocolError, parse_reply, parse_request
from hypothesis import given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "id": st.integers() | JSON,
        "method": st.text(max_size=10) | JSON,
        "params": JSON,
        "result": JSON,
        "error": JSON,
    },
)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | (JSON | NEARLY).map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_request_or_a_protocol_error(message: bytes) -> None:
    try:
        request = parse_request(message)
    except ProtocolError as error:
        assert error.code < 0
        assert error.message
    else:
        assert isinstance(request.method, str)
        assert isinstance(request.params, dict)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | NEARLY.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_reply_or_a_protocol_error(message: bytes) -> None:
    try:
        reply = parse_reply(message)
    except ProtocolError as error:
        assert error.code < 0
    else:
        assert not reply.code or reply.result is None
        assert isinstance(reply.message, str)
