"""The `file` source: a picture, a recording or a directory, in a loop, from the local disk.

regular.py alone opens files. What a path is that cannot be played is errors.py's to say. It may not
know of any other kind of source.
"""
