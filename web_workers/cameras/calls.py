"""Calls to daemons, from any thread: all over one ZeroMQ context, as long as the process lives.

With one of its own each call would start two threads, and libzmq ends a process that cannot start
one (zmq::thread_t::start aborts), with all its viewers. The context is made anew after a fork.
"""

from __future__ import annotations

import zmq
from framebus.control.client import ControlClient
from framebus.names import CameraNames


def prepare() -> None:
    """Start the context's threads now, while nobody is there who could be lost."""
    zmq.Context.instance().socket(zmq.DEALER).close(linger=0)


def caller(names: CameraNames, *, timeout_s: float, asks_only: bool = False) -> ControlClient:
    """Return a client for one thread, to be closed; the arguments are ControlClient's."""
    return ControlClient(
        names, timeout_s=timeout_s, asks_only=asks_only, context=zmq.Context.instance()
    )
