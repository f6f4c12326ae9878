"""The examples of docs/control.md, run in their order against a daemon."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import zmq
from framebus.contract.methods import METHODS
from framebus.names import endpoint

from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context
from tests.programs.daemon import DaemonProcess

PAGE = Path(__file__).parents[2] / "docs" / "control.md"
BLOCK = re.compile(r"^```json\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return (request, reply) pairs of the page."""
    documents = []
    decoder = json.JSONDecoder()
    for block in BLOCK.findall(PAGE.read_text()):
        at = 0
        while at < len(block.rstrip()):
            document, at = decoder.raw_decode(block, at)
            documents.append(document)
            at += len(block[at:]) - len(block[at:].lstrip())
    return list(zip(documents[::2], documents[1::2], strict=True))


def matches(example: object, reply: object) -> bool:
    """Whether a reply has the shape of its example: same keys, same types, same fixed words."""
    match example, reply:
        case dict(), dict():
            return example.keys() == reply.keys() and all(
                matches(value, reply[key]) for key, value in example.items()
            )
        case str(), str() if example.endswith("…"):
            return reply.startswith(example.removesuffix("…"))
        case float(), int() | float():
            return True
        case _:
            return type(example) is type(reply)


def test_every_example_gets_the_reply_that_the_page_shows(runtime: Path) -> None:
    context = own_context()
    options = ("--source", "test", "--size", "320x240", "--fps", "10")
    with DaemonProcess(runtime, *options) as daemon:
        daemon.until_state("streaming")
        until(lambda: daemon.status()["frames"]["fps"], what="a rate that is known")
        peer = context.socket(zmq.DEALER)
        try:
            peer.linger = 0
            peer.connect(endpoint(daemon.names.control_socket))
            for request, example in examples():
                peer.send_json(request)
                assert peer.poll(30_000), request
                reply = peer.recv_json()
                assert matches(example, reply), (request, reply)
                if "error" in example:
                    assert isinstance(reply, dict)
                    assert reply["error"]["code"] == example["error"]["code"]
        finally:
            peer.close()
            context.term()
        assert daemon.ended() == 0


def test_the_page_has_an_example_of_every_method() -> None:
    called = {request["method"] for request, _ in examples()}
    # What they show is a camera's, which the examples' daemon has not.
    assert METHODS.keys() - called == {"controls", "set_controls"}
