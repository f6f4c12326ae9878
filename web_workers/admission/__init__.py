"""Who is let in, and for how long: half-open requests, slow readers, limits on viewers.

    request_reader     a connection before a thread has its request: pending_request, and where that
                       ends (request_framing)
    response_drain     a connection after its response, what is left of which buffered_socket keeps
    evicting_set       of which both are made; error_response what they answer
    viewer_limits      who is let in, by all workers' shared_load, origin and rate_estimate
    request_threads    the threads that answer requests
    connection_limits  how many connections there can be of each kind

Knows no camera but for the size of its frames, no viewer but for its admission, and neither the
app nor who may look: that is `access`.
"""
