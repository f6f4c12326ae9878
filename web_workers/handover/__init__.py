"""How viewers outlive their worker: their sockets go to another one through the kernel.

    viewer_state     what is known of a viewer, as one small document
    codec            from a viewer to that document, and back
    lanes            socket pairs that gunicorn's master makes: what is put in waits for a worker
    channel          puts viewers in there, and takes them out
    worker_registry  which workers there are, and how many viewers each has; memory that all share
    policy           who takes how many, who gives some away; pure
    viewer_handover  does it, in a worker's event loop
    shared           what of this the master makes before it forks

A viewer is a socket and a document here. Knows no feed, no ring, and no camera but by its name:
whose viewers they are, and who takes them in, is the hand-over's `ViewerHost`, which `feeds` is.
"""
