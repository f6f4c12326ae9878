"""The other end of the control socket: it answers whatever a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import zmq
from framebus.names import CameraNames, endpoint

from tests.helpers.zeromq import own_context

Answer = Callable[[bytes], list[bytes]]


@contextmanager
def server(names: CameraNames, answer: Answer) -> Iterator[None]:
    """A ROUTER that answers each request with the messages that `answer` makes of it."""
    context = own_context()
    router = context.socket(zmq.ROUTER)
    router.linger = 0
    router.bind(endpoint(names.control_socket))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            if router.poll(20):
                identity, message = router.recv_multipart()
                for reply in answer(message):
                    router.send_multipart([identity, reply])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        router.close()
        context.term()


def reply(message: bytes, **content: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": json.loads(message)["id"], **content}).encode()
