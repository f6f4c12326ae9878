"""Sources: what yields JPEG frames. base.py is the protocol; each other file serves one source.

The largest of them, V4L2, is a package of its own. A source may not know who reads it, or what
becomes of its frames and its errors.
"""
