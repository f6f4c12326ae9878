"""What can be told of a camera from outside: from its ring, its lock and its daemon.

    ring_follower  its newest frames, one after another
    snapshot       one frame, for one request
    observe        its state, as one document
    cause          why there are no frames
    incidents      its losses of frames

Reads only. Knows nothing of viewers, requests and workers; the one thing that it shares with them
is what a picture is called (wire/multipart.py).
"""
