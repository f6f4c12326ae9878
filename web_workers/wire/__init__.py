"""What goes over a connection, and how it is waited for.

    loop       the worker's event loop: sockets, timers, calls from other threads
    linger     how a connection is closed
    headers    what every response tells a browser
    multipart  the framing of a stream
    uring      one thing sent to many sockets with one system call

Knows no viewer and no worker, no Flask and no gunicorn, and of a camera only what a frame is.
Nothing in here imports another package of the web tier.
"""
