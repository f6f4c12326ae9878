"""The fast path: a small library in C that carries the usual frame into the ring, without Python.

It is optional, and loaded by ctypes (`library`). What becomes of a frame that is not usual is known
above; here are only the state that both paths share (`state`), its lock, and the calls. It may not
know sources or the lifecycle.
"""
