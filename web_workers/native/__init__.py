"""The pump: a small library in C that carries the usual frame to viewers in step, without Python.

It is optional, and loaded by ctypes. What is not usual is known above; here are only the state that
it shares with Python (`state`) and the call (`library`). It may not know feeds or viewers.
"""
