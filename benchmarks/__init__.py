"""The measuring apparatus of `make bench`; no part of the product, which never imports it.

docs/performance.md has what comes of it: framebus, the floor under it and its peers, side by side.
__main__.py   builds all and says in which order
grid.py · capture.py · memory.py · workers.py · thousand.py   the five parts, as part.py says
servers.py · peers.py · framebus_server.py   what is measured; launch.py gives it its cores
client.py · handed.py · cpu.py   what its viewers got, what it says itself, what it cost
floor.c · load.c · v4l2_shim.c   the least that sending costs; the client; a camera's place
figures.py · summaries.py · results.py · table.py · record.py · plot.py   what is made of it
dead.py       what a dead camera costs, by itself
"""
