"""What goes over a connection, and how it is waited for.

    loop     the worker's event loop: sockets, timers, calls from other threads
    linger   how a connection is closed
    headers  what every response tells a browser
    parts    the multipart framing of a stream

Knows no camera, no viewer and no worker; no Flask and no gunicorn either. Nothing in here imports
another package of the web tier.
"""
