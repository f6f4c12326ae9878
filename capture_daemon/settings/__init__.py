"""What was asked for, frozen: a daemon's settings, the request of a capture, the text of a source.

From flags, files and texts to values, with errors that name the remedy. It knows every kind of
source, because it names and builds them. It may not know what becomes of a request.
"""
