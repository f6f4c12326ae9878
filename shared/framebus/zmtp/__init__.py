"""ZMTP 3, what ZeroMQ's sockets speak: those of ours that others connect to, and our own ends.

libzmq cannot bound what a peer makes it keep: the parts of a message that does not end, prefixes of
subscriptions (which it takes in inside the sending thread), connections. So the daemon's PUB and
ROUTER sockets are served from here, on Unix sockets. Our SUB and DEALER are here too: each of
libzmq's costs its process two threads, two changes of threads for a message, and two megabytes.
On the wire both are what libzmq's are.
"""
