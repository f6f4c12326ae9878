"""What /metrics tells, for Prometheus. docs/http.md lists it; docs/operations.md has alerts.

    camera.py     what the status document in the ring says
    incidents.py  what the daemon answers when it is asked for its incidents
    viewers.py    what all workers have counted (counts/worker_counts.py)
    families.py   the samples that these fill in
    catalogue.py  the families of them
    scrape.py     asks, and writes the answer

No label has a text that a person, a driver or a server wrote: only names and words that framebus
itself chose, so that no address or password can be in one.
"""
