"""What some bytes are, by their first ones: what is no JPEG can be called by its name. Pure.

Names are for people. The signatures are those of the formats' own specifications: ITU-T H.264 and
H.265, Annex B; ISO/IEC 14496-12 (MP4) and 13818-1 (MPEG-TS); RFC 2083 (PNG) and so on.
"""

from __future__ import annotations

import re

JPEG = "JPEG"
NOTHING = "nothing"
COMPRESSED = "a compressed body"
"""Of any coding."""
H264 = "H.264"
H265 = "H.265"

ENOUGH = 16
"""Bytes that `kind_of` wants to see, where there are as many."""

_START_CODE = re.compile(rb"\A\0{2,3}\x01(.)(.)", re.DOTALL)
_H264_UNITS = frozenset({1, 5, 6, 7, 8, 9})
"""nal_unit_type (H.264, 7.4.1): slices, SEI, parameter sets, access unit delimiter."""
_H265_UNITS = frozenset({1, 19, 20, 21, 32, 33, 34, 35, 39})
"""The same of H.265 (7.4.2.2)."""

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"FLV\x01", "FLV"),
    (b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (b"OggS", "Ogg"),
    (b"\0\0\x01\xba", "MPEG-PS"),
    (b"\0\0\x01\xb3", "MPEG-2 video"),
    (b"\0\0\x01\xb0", "MPEG-4 video"),
    (b"#EXTM3U", "an HLS playlist"),
    (b"v=0\r\n", "a session description (SDP)"),
    (b"RTSP/", "RTSP"),
    (b"\x1f\x8b", f"{COMPRESSED} (gzip)"),
)
_OTHER_PICTURES = frozenset(
    {kind for _, kind in _SIGNATURES[1:-1]} | {H264, H265, "MPEG-TS", "MP4", "AVI", "WebP"}
)
_BOXES = frozenset({b"ftyp", b"moov", b"moof", b"styp", b"mdat", b"sidx"})
_PACKET = re.compile(rb"G\x40.[\x10-\x1f\x30-\x3f]", re.DOTALL)
"""An MPEG-TS packet that begins something: its tables come first."""
_TYPES = (
    ("h264", H264),
    ("avc", H264),
    ("h265", H265),
    ("hevc", H265),
    ("mp2t", "MPEG-TS"),
    ("mp4", "MP4"),
    ("mpegurl", "an HLS playlist"),
    ("x-flv", "FLV"),
    ("webm", "Matroska or WebM"),
    ("image/png", "PNG"),
    ("image/webp", "WebP"),
    ("image/gif", "GIF"),
    ("html", "a web page"),
    ("audio/", "sound"),
)


def kind_of(data: bytes) -> str:
    """Return what begins with `data`: "JPEG", "H.264", "PNG" …; empty if it is not known."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[4:8] in _BOXES:
        return "MP4"
    if data.startswith(b"RIFF"):
        return {b"AVI ": "AVI", b"WEBP": "WebP", b"WAVE": "sound"}.get(data[8:12], "")
    if _PACKET.match(data):
        return "MPEG-TS"
    if data[:64].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    unit = _START_CODE.match(data)
    return _coded_video(unit[1][0], unit[2][0]) if unit else ""


def kind_of_type(content_type: str) -> str:
    """Return what a Content-Type says that it is, by the names above; empty if by none of them."""
    lowered = content_type.lower()
    return next((kind for word, kind in _TYPES if word in lowered), "")


def is_picture(kind: str) -> bool:
    """Tell whether `kind`, one of the names above, is pictures in another coding than JPEG."""
    return kind in _OTHER_PICTURES


def _coded_video(first: int, second: int) -> str:
    """Return which of the two codings a unit with this header has."""
    if first & 0x80:
        return ""
    # H.265's header is two bytes, whose second is 1 in a stream of one layer.
    if second == 1 and (first >> 1) & 0x3F in _H265_UNITS and first & 1 == 0:
        return H265
    return H264 if first & 0x1F in _H264_UNITS else ""
