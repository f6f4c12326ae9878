"""The kernel's lines about one USB port, from /dev/kmsg, else from the journal, with their meaning.

Both refuse most users: which group would be let in is said. journalctl may take seconds.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from framebus.clocks import utc_offset_ns
from framebus.contract.causes import one_line

from capture_daemon.devices.sysfs import UsbPort
from capture_daemon.diagnosis import kmsg
from capture_daemon.diagnosis.incidents import LINES_MAX
from capture_daemon.diagnosis.kernel_messages import meaning
from capture_daemon.diagnosis.programs import run
from capture_daemon.diagnosis.records import KernelLog, Line, Sign

_RECORDS_MAX = 50_000  # a log that grows faster than it is read must not keep us for ever
_JOURNAL_LINES = 5000
_WARNING = 4  # syslog(3)
_USB = re.compile(r"(?:usb|uvcvideo|hub|[a-z]hci[_-]\w+|dwc2|vhci_hcd)\b[ :]")

NOT_READABLE = (
    "the kernel's log could not be read: `sudo usermod -aG systemd-journal USER` lets this user, "
    "after a new login; or `sudo framebus doctor`"
)


def kmsg_lines(path: Path = Path("/dev/kmsg")) -> Iterator[kmsg.Record]:
    """Yield all of /dev/kmsg, oldest first, without waiting. Raises OSError."""
    to_utc_ns = utc_offset_ns()
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for _ in range(_RECORDS_MAX):
            try:
                yield kmsg.parse(os.read(fd, kmsg.RECORD_MAX), to_utc_ns)
            except BlockingIOError:
                return
            except BrokenPipeError:
                continue  # overwritten while it was read: the next read has the oldest there is
            except ValueError:
                continue
    finally:
        os.close(fd)


def journal_lines() -> Iterator[kmsg.Record]:
    """Yield the journal's newest lines of the kernel, of this boot, oldest first.

    Raises OSError when there is no journalctl, it takes too long, or shows us nothing.
    """
    ran = run(["journalctl", "--dmesg", "--output=json", "--no-pager", f"--lines={_JOURNAL_LINES}"])
    if ran is None or ran.code or "not seeing messages" in ran.errors or "No journal" in ran.errors:
        raise PermissionError("the journal shows this user nothing of the kernel")
    to_utc_ns = utc_offset_ns()
    for line in ran.output.split("\n"):
        try:
            yield parse_journal(line, to_utc_ns)
        except ValueError:
            continue


def parse_journal(line: str | bytes, to_utc_ns: int) -> kmsg.Record:
    """Parse one line of `journalctl -k -o json`. Raises ValueError.

    Its CLOCK_MONOTONIC counts, and `to_utc_ns` is what UTC is more than that: the time of day may
    have been set since.
    """
    try:
        document = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("no entry of a journal")
    message = document.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no UTF-8
        message = bytes(each for each in message if isinstance(each, int) and 0 <= each < 256)
        message = message.decode(errors="replace")
    if not isinstance(message, str):
        raise ValueError("an entry without a message")
    priority = str(document.get("PRIORITY", "6"))
    properties = {
        key: str(document[field])
        for key, field in (("SUBSYSTEM", "_KERNEL_SUBSYSTEM"), ("DEVICE", "_KERNEL_DEVICE"))
        if field in document
    }
    uptime_us = int(str(document.get("__MONOTONIC_TIMESTAMP", "0"))[:18])
    level = int(priority) if priority in "01234567" and priority else 6
    text = one_line(message)[: kmsg.TEXT_MAX]
    return kmsg.Record(uptime_us * 1000 + to_utc_ns, level, text, properties)


def read(
    port: str,
    since_utc_ns: int,
    *,
    readers: Sequence[Callable[[], Iterable[kmsg.Record]]] = (kmsg_lines, journal_lines),
) -> KernelLog:
    """Return what the kernel said since then about the USB port ("1-1.2"; empty: about all USB).

    It is asked of the first of `readers` that does not raise OSError.
    """
    for records in readers:
        try:
            found = [record for record in records() if record.utc_ns >= since_utc_ns]
        except OSError:
            continue
        lines = (_line(record, port) for record in found)
        return KernelLog(tuple(line for line in lines if line)[-LINES_MAX:])
    return KernelLog((), (NOT_READABLE,))


def _line(record: kmsg.Record, port: str) -> Line | None:
    if not concerns(record, port):
        return None
    if known := meaning(record.text):
        return Line(record.utc_ns, record.text, known.text, known.sign)
    return Line(record.utc_ns, record.text, "") if port and record.level <= _WARNING else None


def concerns(record: kmsg.Record, port: str) -> bool:
    """Whether a record is about this USB port: its device, the port itself, or what both hang on.

    Old kernels' "uvcvideo: …" names no device, and a controller's end is everybody's.
    """
    text = record.text
    if not port:
        return record.properties.get("SUBSYSTEM") == "usb" or bool(_USB.match(text))
    if record.device == port or record.device.startswith(f"{port}:"):
        return True
    if text.startswith("uvcvideo: "):
        return True
    place = UsbPort(port)
    of_hub = f"{place.hub_device}-port{place.number}"
    if re.match(rf"\w+ (?:{re.escape(port)}(?::\d+\.\d+)?|{re.escape(of_hub)}): ", text):
        return True
    known = meaning(text) if _USB.match(text) else None
    return known is not None and known.sign is Sign.HOST
