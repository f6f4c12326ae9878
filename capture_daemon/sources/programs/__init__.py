"""Programs that sources run and whose pictures they read: what is alike, whatever the program.

Only what they write to a pipe is known here, and no camera.
"""
