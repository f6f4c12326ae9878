"""One client of an endless stream, and what it costs.

    viewer           its socket, what is under way on it, its counters
    in_step_viewers  those that keep up, whose counters are common
    broadcast_send   how a frame is handed to all of those
    rate_limiter     which frames one gets that asked for fewer; pure
    thread_slots     for those that take a thread each

Knows neither what is viewed nor when there is something new: a viewer is handed bytes by `feeds`,
and carried to other workers by `handover`.
"""
