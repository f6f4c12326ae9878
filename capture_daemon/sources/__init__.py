"""Sources: what yields JPEG frames. base.py is the protocol; each other file is one source."""
