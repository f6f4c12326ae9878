"""Takes one record of /dev/kmsg apart, as the kernel writes it. Pure; other bytes are a ValueError.

Format: Documentation/ABI/testing/dev-kmsg in the kernel's source. Anybody with root may write to
the log, and a device's own strings stand in it: everything is made one printable line.

    6,1234,5017345678,-;usb 1-1: USB disconnect, device number 5
     SUBSYSTEM=usb
     DEVICE=+usb:1-1
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from framebus.contract.causes import one_line

RECORD_MAX = 8192
"""Bytes that a read must offer room for: CONSOLE_EXT_LOG_MAX, include/linux/printk.h."""
TEXT_MAX = 300
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the kernel's log."""

    utc_ns: int
    """When it was written, by the log's own clock, which is close to CLOCK_MONOTONIC."""
    level: int
    """0 emergency to 7 debug."""
    text: str
    properties: Mapping[str, str] = field(default_factory=dict)
    """SUBSYSTEM and DEVICE, where a driver named its device."""

    @property
    def device(self) -> str:
        """The device's name in sysfs, "1-1" for "+usb:1-1"; empty where none is named."""
        return self.properties.get("DEVICE", "").partition(":")[2]


def parse(record: bytes, to_utc_ns: int) -> Record:
    """Parse what one read of /dev/kmsg returned. Raises ValueError.

    `to_utc_ns` is UTC less CLOCK_MONOTONIC, as it is now.
    """
    head, semicolon, body = record.partition(b";")
    numbers = head.split(b",")
    if not semicolon or len(numbers) < 3 or not all(n.isdigit() for n in numbers[:3]):
        raise ValueError("no record of the kernel's log")
    text, *rest = body.split(b"\n")
    properties = {}
    for line in rest:
        key, equals, value = line.partition(b"=")
        if line.startswith(b" ") and equals:
            properties[_plain(key)] = _plain(value)
    return Record(
        utc_ns=int(numbers[2][:20]) * 1000 + to_utc_ns,
        level=int(numbers[0][:10]) & 7,  # the rest is the facility
        text=_plain(text)[:TEXT_MAX],
        properties=properties,
    )


def _plain(text: bytes) -> str:
    """Undo the kernel's escapes (a backslash, x and two digits), and make it one printable line."""
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)
    return one_line(raw.decode("utf-8", errors="replace"))
