from __future__ import annotations

import json

import pytest
from framebus.control import protocol
from framebus.control.protocol import ProtocolError, Reply, Request, parse_reply, parse_request


def test_request_survives_the_wire() -> None:
    request = Request(7, "configure", {"fps": 15})
    assert parse_request(request.encode()) == request


def test_replies_survive_the_wire() -> None:
    for reply in (
        Reply(7, result={"state": "streaming"}),
        Reply("a", result=None),
        Reply(7, code=-32602, message="no", data=["x"]),
    ):
        assert parse_reply(reply.encode()) == reply


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", protocol.PARSE_ERROR),
        (b"\xff\xfe", protocol.PARSE_ERROR),
        (b"{", protocol.PARSE_ERROR),
        (b"[" * 60_000, protocol.PARSE_ERROR),
        (b'{"id": NaN}', protocol.PARSE_ERROR),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":-1e400}}', protocol.PARSE_ERROR),
        (b'"' + b"x" * protocol.MESSAGE_MAX + b'"', protocol.PARSE_ERROR),
        (b"[]", protocol.INVALID_REQUEST),
        (b"null", protocol.INVALID_REQUEST),
        (b"{}", protocol.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","method":"status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":true,"method":"status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":{},"method":"status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc":"1.0","id":1,"method":"status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}', protocol.INVALID_REQUEST),
    ],
)
def test_hostile_message_is_refused_with_the_right_code(message: bytes, code: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_request(message)
    assert caught.value.code == code
    assert caught.value.message


def test_id_is_given_back_where_it_could_be_read() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_request(b'{"jsonrpc":"2.0","id":41,"method":7}')
    assert caught.value.id == 41


@pytest.mark.parametrize("message", [b"", b"{}", b'{"jsonrpc":"2.0","id":1,"error":"x"}'])
def test_what_is_no_reply_is_refused(message: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_reply(message)


def test_error_reply_has_no_result_as_json_rpc_wants() -> None:
    document = json.loads(Reply(1, code=-32000, message="no").encode())
    assert set(document) == {"jsonrpc", "id", "error"}
