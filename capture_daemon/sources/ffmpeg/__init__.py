"""The `ffmpeg` source: a child process, what it is allowed to be told, and what its words mean.

What a person's text may contain (arguments, options, filters) is decided without a process;
child.py runs one and knows no frames. It may not know of any other kind of source.
"""
