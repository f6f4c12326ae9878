"""ZMTP 3, what ZeroMQ's sockets speak, for those of ours that others may connect to.

libzmq cannot bound what a peer makes it keep: the parts of a message that does not end, prefixes of
subscriptions (which it takes in inside the sending thread), connections. So the daemon's PUB and
ROUTER sockets are served from here, on Unix sockets, and libzmq's own are what connects to them.
"""
