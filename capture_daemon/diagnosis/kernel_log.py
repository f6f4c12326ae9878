"""The kernel's lines about one USB port, from /dev/kmsg, else from the journal, with their meaning.

Both refuse most users: which group would be let in is said. It may take seconds (journalctl), so it
is no business of a thread that must not wait.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from framebus.clocks import utc_offset_ns
from framebus.contract.causes import one_line

from capture_daemon.diagnosis import kmsg
from capture_daemon.diagnosis.kernel_messages import meaning
from capture_daemon.diagnosis.records import KernelLog, Line, Sign

LINES_MAX = 40
_RECORDS_MAX = 50_000  # a log that grows faster than it is read must not keep us for ever
_JOURNAL_S = 5.0
_JOURNAL_LINES = 5000
_WARNING = 4  # syslog(3)
_USB = re.compile(r"(?:usb|uvcvideo|hub|[a-z]hci[_-]\w+|dwc2|vhci_hcd)\b[ :]")

NOT_READABLE = (
    "the kernel's log could not be read: `sudo usermod -aG systemd-journal USER` lets this user, "
    "after a new login; or `sudo framebus doctor`"
)


def kmsg_lines(path: Path = Path("/dev/kmsg")) -> Iterator[tuple[int, kmsg.Record]]:
    """Yield all of /dev/kmsg as (utc_ns, record), oldest first, without waiting. Raises OSError."""
    to_utc_ns = utc_offset_ns()
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for _ in range(_RECORDS_MAX):
            try:
                record = kmsg.parse(os.read(fd, kmsg.RECORD_MAX))
            except BlockingIOError:
                return
            except BrokenPipeError:
                continue  # overwritten while it was read: the next read has the oldest there is
            except ValueError:
                continue
            yield record.uptime_ns + to_utc_ns, record
    finally:
        os.close(fd)


def journal_lines() -> Iterator[tuple[int, kmsg.Record]]:
    """Yield the journal's newest lines of the kernel, of this boot, as (utc_ns, record), oldest
    first.

    Raises OSError when there is no journalctl, it takes too long, or shows us nothing.
    """
    try:
        done = subprocess.run(
            [
                *("journalctl", "--dmesg", "--output=json", "--no-pager"),
                f"--lines={_JOURNAL_LINES}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_JOURNAL_S,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"journalctl took over {_JOURNAL_S:g} s") from error
    if done.returncode or b"not seeing messages" in done.stderr or b"No journal" in done.stderr:
        raise PermissionError("the journal shows this user nothing of the kernel")
    to_utc_ns = utc_offset_ns()
    for line in done.stdout.splitlines():
        try:
            yield parse_journal(line, to_utc_ns)
        except ValueError:
            continue


def parse_journal(line: bytes, to_utc_ns: int) -> tuple[int, kmsg.Record]:
    """Return (utc_ns, record) of one line of `journalctl -k -o json`. Raises ValueError.

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
    return uptime_us * 1000 + to_utc_ns, kmsg.Record(0, 0, level, text, properties)


@dataclass(frozen=True, slots=True)
class LogReaders:
    """Where the log is; others in tests. Each raises OSError where it cannot be read."""

    kernel: Callable[[], Iterable[tuple[int, kmsg.Record]]] = kmsg_lines
    journal: Callable[[], Iterable[tuple[int, kmsg.Record]]] = journal_lines


def read(port: str, since_utc_ns: int, *, readers: LogReaders | None = None) -> KernelLog:
    """Return what the kernel said since then about the USB port ("1-1.2"; empty: about all USB)."""
    readers = readers or LogReaders()
    try:
        found = list(readers.kernel())
    except OSError:
        try:
            found = list(readers.journal())
        except OSError:
            return KernelLog((), (NOT_READABLE,))
    lines = [_line(utc_ns, record, port) for utc_ns, record in found if utc_ns >= since_utc_ns]
    return KernelLog(tuple(line for line in lines if line)[-LINES_MAX:])


def _line(utc_ns: int, record: kmsg.Record, port: str) -> Line | None:
    known = meaning(record.text) if concerns(record, port) else None
    if known is not None:
        return Line(utc_ns, record.text, known.text, known.sign)
    if port and record.level <= _WARNING and concerns(record, port):
        return Line(utc_ns, record.text, "")
    return None


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
    if re.match(rf"\w+ (?:{re.escape(port)}(?::\d+\.\d+)?|{re.escape(hub_port(port))}): ", text):
        return True
    known = meaning(text)
    return known is not None and known.sign is Sign.HOST and bool(_USB.match(text))


def hub_port(port: str) -> str:
    """Return how the kernel names the port as part of its hub: "1-1.2" is "1-1-port2"."""
    hub, _, number = port.rpartition("." if "." in port else "-")
    return f"{hub if '-' in hub else f'usb{hub}'}-port{number}"
