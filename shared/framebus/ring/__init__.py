"""The ring: a broadcast log in shared memory. layout.py is its only description."""
