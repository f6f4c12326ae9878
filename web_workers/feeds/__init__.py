"""The fan-out: what comes from cameras, to all viewers of one worker.

    streams      all viewers of the worker: takes them in, and keeps a feed a camera
    feed         what a camera's viewers are to be shown, and when
    fanout       who is sent it; housekeeping does what is due for them once a second
    placeholder  pictures that stand in for frames
    events       the same for states, as server-sent events
    worker_pids  which workers there are, which these tell pages

Lives in the worker's event loop and waits for nobody. Knows no route, no secret and no gunicorn:
whoever comes here has been let in, and is a socket with a ticket (responses/takeover.py).
"""
