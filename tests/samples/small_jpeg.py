"""The smallest JPEGs there can be, put together from their segments (ITU T.81)."""

from __future__ import annotations

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF = b"\xff\xc0\x00\x0b\x08\x00\x20\x00\x40\x01\x01\x11\x00"  # 64 x 32, one component
SOS = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
DHT = b"\xff\xc4\x00\x03\x00"
WHOLE = SOI + SOF + DHT + SOS + b"data" + EOI
WITHOUT_TABLES = SOI + SOF + SOS + b"data" + EOI
