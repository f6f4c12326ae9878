"""The `test` source: a test pattern that says that it is one, and how Pillow draws it."""
