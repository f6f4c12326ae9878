"""One client of an endless stream, and what it costs.

    viewer    its socket, what is under way on it, its counters
    pack      those that keep up, in the tightest loop there is
    thinning  which frames one gets that asked for fewer; pure
    threaded  places for those that take a thread each

Knows neither what is viewed nor when there is something new: a viewer is handed bytes by `feeds`,
and carried to other workers by `handover`.
"""
