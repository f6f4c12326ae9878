"""Sources: what yields JPEG frames. base.py is their protocol; each kind is a package of its own.

The kinds do not know each other; they share how pictures are read and the pace of frames. The
largest, V4L2, is a package beside this one. A source may not know who reads it, or what becomes of
its frames and its errors.
"""
