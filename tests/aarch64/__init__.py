"""Tests that run on another processor: QEMU's user-mode emulation of aarch64.

tree.py gets a Python for it, and what it needs, from Debian's packages, into a folder of the cache;
the machine's own packages stay as they are. test_on_aarch64.py runs the ring's tests with that. The
emulation keeps the order of memory of the machine that it runs on: what holds there is in
docs/ring.md, and no test of this folder shows it.
"""
