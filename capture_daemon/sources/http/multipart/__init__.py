"""The parts of a multipart stream that are pictures. Pure: bytes in, parts out.

It may not know who sent them, beyond the form of a part's headers.
"""
