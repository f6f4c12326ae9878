"""What can go wrong with the emulated camera, as data. Pure.

A fault is armed for a number of occasions (pictures, URBs or requests, as its line says) or until
it is cleared. To add one: a line in FAULTS, and `take` or `on` where it acts.
"""

from __future__ import annotations

FOREVER = -1

FAULTS = {
    "truncated": "the picture's second half is missing",
    "garbage": "random bytes in place of the picture",
    "no-dht": "an MJPEG picture without Huffman tables",
    "no-end": "the picture's last two bytes, the EOI marker, are missing",
    "padded": "zeros after the picture's end",
    "huge": "a valid JPEG ten times larger than usual",
    "frozen": "the last picture again, to the byte",
    "empty": "a payload header without a picture",
    "no-eof": "the end-of-frame bit is missing",
    "error-bit": "the payload header's error bit is set",
    "oversized": "more bytes than the negotiated largest picture",
    "lost-packet": "one isochronous packet of the picture is lost",
    "silent": "no more data; URBs stay pending",
    "mute-run": "no more data until the stream has been started so many times",
    "wedged": "no more data until the device is configured anew, as by a USB reset",
    "slow-start": "the first picture comes 3 s after the stream started",
    "dark": "a third of the frame rate",
    "urb-protocol": "the next URB fails with -71 (EPROTO)",
    "urb-stall": "the next URB fails with -32 (EPIPE)",
    "probe-refused": "a probe request is stalled",
    "probe-unanswered": "a probe request is never answered",
    "commit-refused": "a commit request is stalled",
    "commit-unanswered": "a commit request is never answered",
    "control-refused": "a request to a unit's control is stalled: invalid request",
    "control-unanswered": "a request to a unit's control is never answered",
    "control-not-ready": "a request to a unit's control is stalled: not ready",
}


class Faults:
    """The faults that are armed, with how many occasions are left of each."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def arm(self, name: str, count: int = FOREVER) -> None:
        """Arm `name` for its next `count` occasions. Raises KeyError for an unknown name."""
        if name not in FAULTS:
            raise KeyError(f"no fault is called {name}: {', '.join(FAULTS)}")
        self._left[name] = count

    def clear(self, name: str | None = None) -> None:
        """Clear one fault, or all."""
        if name is None:
            self._left.clear()
        else:
            self._left.pop(name, None)

    def left(self) -> dict[str, int]:
        """Return the faults that are armed, with how many occasions are left of each."""
        return {name: left for name, left in self._left.items() if left}

    def on(self, name: str) -> bool:
        """Tell whether `name` is armed; does not count as an occasion."""
        return self._left.get(name, 0) != 0

    def take(self, name: str) -> bool:
        """Tell whether `name` acts on this occasion, and count it."""
        left = self._left.get(name, 0)
        if left > 0:
            self._left[name] = left - 1
        return left != 0
