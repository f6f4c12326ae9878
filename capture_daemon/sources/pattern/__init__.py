"""The `test` source: a test pattern that says that it is one, and how it is drawn.

Drawing needs Pillow, which is imported when a pattern is opened and not before.
"""
