"""Who is let in, and for how long: half-open requests, slow readers, limits on viewers.

    intake, leaving    a connection before and after a thread has its request; with extent, reading,
                       lobby, outbox and answers, of which they are made
    gate, ledger       the places that viewers have, all workers' together; with settings, origin
                       and estimate
    threads            the threads that answer requests
    complaints         what is logged of it, once in a while
    descriptors        how many connections there can be of each kind

Knows no camera but for the size of its frames, no viewer but for its place, and neither the app nor
who may look: that is `access`.
"""
