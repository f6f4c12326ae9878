"""The ring: a broadcast log in shared memory. docs/ring.md describes it."""
