"""The fan-out: what comes from cameras, to all viewers of one worker.

    worker_viewers  all viewers of the worker: takes them in, and keeps a feed a camera
    feed            what a camera's viewers are to be shown, and when
    fanout          who is sent it
    placeholder     pictures that stand in for frames
    events          the same for states, as server-sent events
    housekeeping    what is due once a second, for viewers of both
    streams         what the app asks of all that
    worker_pids     which workers there are, which these tell pages

Lives in the worker's event loop and waits for nobody. Knows no route, no secret and no gunicorn:
whoever comes here has been let in, and is a socket with a ticket (responses/takeover.py).
"""
