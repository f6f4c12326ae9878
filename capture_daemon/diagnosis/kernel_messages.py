"""What the kernel's lines about a USB camera mean, in plain words: the first row that fits.

Sources: drivers/usb/core/{hub,message,devio}.c, drivers/usb/host/xhci*.c and
drivers/media/usb/uvc/uvc_{video,driver}.c of Linux 5.10 to 7.2; the meaning of error numbers on USB
is Documentation/driver-api/usb/error-codes.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from capture_daemon.diagnosis.records import Sign


@dataclass(frozen=True, slots=True)
class Meaning:
    """A line's meaning: a sentence without a capital or a stop, and what it points at."""

    text: str
    sign: Sign


ERRNOS = {
    5: "input/output error",
    18: "the picture's data came too late for the bus",
    19: "the camera is gone",
    28: "no bandwidth left on the bus",
    32: "the camera refused the request",
    62: "the camera did not answer",
    71: "bits were garbled on the wire",
    75: "the camera sent more than it may",
    84: "bits were garbled on the wire",
    108: "the bus is shut down",
    110: "the camera did not answer in time",
    121: "the camera sent less than it should",
}
"""Meanings of the negative numbers at the end of such lines."""
_GARBLED = "71|84"
_UNANSWERED = "110|62"
_TABLE = (
    (
        r"over-?current",
        "the port was switched off because something on it drew too much power: "
        "try a powered hub or another port",
        Sign.POWER,
    ),
    (
        r"insufficient available bus power",
        "the hub cannot give the camera enough power: use a powered hub",
        Sign.POWER,
    ),
    (
        r"cannot enable\. maybe the usb cable is bad",
        "the port cannot reach the device: change the cable",
        Sign.CABLE,
    ),
    (
        r"disabled by hub \(EMI\?\)",
        "the hub cut the port off, because of interference or a bad cable",
        Sign.CABLE,
    ),
    (r"connect-debounce failed", "the plug makes no steady contact", Sign.CABLE),
    (
        r"unable to enumerate USB device",
        "something is plugged in and cannot be recognised: the cable, the power or the device",
        Sign.CABLE,
    ),
    (
        r"device descriptor read|device not accepting address|can't read configurations"
        r"|unable to read config|can't set config",
        "the device does not say what it is: the cable, the power or the device",
        Sign.CABLE,
    ),
    (
        r"not enough bandwidth",
        "the USB bus has no bandwidth left: a smaller size, fewer frames, or another bus",
        Sign.BANDWIDTH,
    ),
    (
        r"HC died|host controller not responding|host not responding|hc_died|assume dead",
        "this computer's USB controller has stopped: rebind it, or start the computer again",
        Sign.HOST,
    ),
    (
        rf"non-zero status \(-(?:{_GARBLED})\)",
        "a transfer was garbled on the wire: the cable, a hub or interference",
        Sign.CABLE,
    ),
    (r"non-zero status \(-108\)", "the bus was shut down under the stream", Sign.GONE),
    (r"non-zero status", "a transfer of the picture failed", Sign.CAMERA),
    (
        r"failed to (?:re)?submit (?:video )?URB(?: \d+)? \(-28\)",
        "the USB bus has no bandwidth left for the picture",
        Sign.BANDWIDTH,
    ),
    (
        r"failed to (?:re)?submit (?:video )?URB(?: \d+)? \(-1\)",
        "the stream was being stopped",
        Sign.NORMAL,
    ),
    (r"failed to (?:re)?submit (?:video )?URB", "the stream cannot go on", Sign.GONE),
    (
        rf"failed to (?:query|set) .*-(?:{_UNANSWERED})\b",
        "the camera did not answer a request",
        Sign.CAMERA,
    ),
    (
        rf"failed to (?:query|set) .*-(?:{_GARBLED})\b",
        "a request to the camera was garbled on the wire",
        Sign.CABLE,
    ),
    (r"failed to (?:query|set) .*-32\b", "the camera refused a request", Sign.CAMERA),
    (r"failed to (?:query|set) ", "a request to the camera failed", Sign.CAMERA),
    (
        r"failed to initialize the device|no (?:valid|streaming) (?:video chain|interface) found"
        r"|unable to (?:parse|create)",
        "the driver cannot use this camera as it came up: plug it out and in",
        Sign.CAMERA,
    ),
    (
        r"usb_set_interface|set_interface.*fail",
        "the camera did not take the speed that was chosen for it",
        Sign.CAMERA,
    ),
    (r"USB disconnect", "it left the bus: unplugged, or it reset itself", Sign.GONE),
    (r"reset (?:low|full|high|super)\S*speed", "it was reset and stays plugged in", Sign.NORMAL),
    (r"device firmware changed", "it came back as another device", Sign.CAMERA),
    (r"new (?:low|full|high|super)\S*speed", "it was plugged in, or came back", Sign.NORMAL),
    (r"found UVC|New USB device found", "it was recognised", Sign.NORMAL),
    (r"device is not authorized", "somebody has forbidden the device (authorized=0)", Sign.GONE),
    (r"authorized to connect", "the device was allowed again", Sign.NORMAL),
    (r"UVC non compliance|quirk", "the driver works around a fault of the camera", Sign.NORMAL),
)
_NUMBER = re.compile(r"(?:error |: |\()-(\d{1,3})\b")


def meaning(text: str) -> Meaning | None:
    """Return what a line of the kernel's log means, None if the table does not know it."""
    fitting = (row for row in _TABLE if re.search(row[0], text, re.IGNORECASE))
    found = next((Meaning(said, sign) for _, said, sign in fitting), None)
    number = _NUMBER.search(text)
    if number is None or int(number[1]) not in ERRNOS:
        return found
    errno = f"-{number[1]}: {ERRNOS[int(number[1])]}"
    if found is None:
        return Meaning(errno, Sign.CAMERA)
    return Meaning(f"{found.text} ({errno})", found.sign)
