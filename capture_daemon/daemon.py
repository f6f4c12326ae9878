"""The daemon's main loop: one poll over everything that can happen, and nothing that blocks.

It runs in the main thread and only passes on: control requests to the server, reports to whom they
are for, the time to all, their state to the ring, the events and systemd.
What all of them do is in their files; what they are made of is in parts.py.
"""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framebus.notifier import EventNotifier
from framebus.ring.writer import RingWriter
from framebus.signal_watch import SignalWatch
from framebus.zmtp.publisher import Acceptor

from capture_daemon.capturing.reports import Mailbox
from capture_daemon.control.incident_log import IncidentLog
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.request_checks import RequestChecks
from capture_daemon.control.server import ControlServer
from capture_daemon.control.status import Status
from capture_daemon.devices.hotplug import Hotplug, Monitor
from capture_daemon.lifecycle.fallback import Fallback
from capture_daemon.lifecycle.pipeline import Pipeline
from capture_daemon.systemd import ServiceManager

log = logging.getLogger(__name__)

_STATUS_NS = 1_000_000_000
HUNG_S = 30.0
"""A source that has not returned for this long is no honest reason for silence any more: the
watchdog is left to bite. The longest wait in a driver that is alive is 5 s, a control transfer."""


@dataclass(eq=False, kw_only=True)
class Daemon:
    """Everything that the main thread does between start and end."""

    camera: Pipeline
    spare: Pipeline
    acceptor: Acceptor
    fallback: Fallback
    pending_controls: PendingControls
    incident_log: IncidentLog
    checks: RequestChecks
    servers: Sequence[ControlServer]
    status: Status
    ring: RingWriter
    events: EventNotifier
    manager: ServiceManager
    mailbox: Mailbox
    signals: SignalWatch
    hotplug: Hotplug
    look_for_files: Callable[[Callable[[Path | None], None]], bool]
    """Have another thread say which file of the daemon is gone; False if it cannot be asked now."""
    supervised: bool
    """Somebody starts a successor."""
    at_rest: bool
    """The predecessor rested: go on so, if the options still say so."""
    renewing: bool = field(default=False, init=False)
    """The end is for a successor to go on: camera and ring are left as they are."""

    def __post_init__(self) -> None:
        self._controller = self.camera.controller
        self._deadlines: tuple[Callable[[], int | None], ...] = (
            self._controller.deadline_ns,
            self.fallback.own.deadline_ns,
            self.pending_controls.deadline_ns,
            self.incident_log.deadline_ns,
            self.checks.deadline_ns,
            *(server.deadline_ns for server in self.servers),
        )
        self._poller = select.poll()
        self._ending = False
        self._more_requests = False
        self._told: tuple[object, ...] = ()
        self._looking_for_files = False
        self._files_lost = self.mailbox.slot(self._on_file_lost)
        self._status_due_ns = 0
        self._feed_due_ns = 0

    def end(self, *, renewing: bool = False) -> None:
        """Leave the loop after this round; `renewing`: make way for a successor."""
        self._ending = True
        self.renewing = renewing

    def run(self) -> None:
        """Capture until a signal or `end`."""
        poller = self._poller
        servers = (server.fileno() for server in self.servers)
        for fd in (*servers, self.mailbox.fileno(), self.signals.fileno()):
            poller.register(fd, select.POLLIN)
        self.hotplug.start(self.mailbox.slot(self._on_monitor))
        if self.at_rest and self._controller.demand.idle_after_s:
            self._controller.begin_at_rest(time.monotonic_ns())
        else:
            self._controller.start(time.monotonic_ns())
        self.manager.ready()
        timeout_ms = 0
        while not self._ending:
            if not poller.poll(timeout_ms):
                # Frames came meanwhile, as a rule, and what was due then is due later.
                timeout_ms = self._timeout_ms(time.monotonic_ns())
                if timeout_ms:
                    continue
            for number in self.signals.received():
                log.info("ending: %s", number.name)
                self.end()
            self._round()
            timeout_ms = self._timeout_ms(time.monotonic_ns())

    def tell_status(self, now_ns: int) -> None:
        """Put the status document where readers and listeners see it."""
        document = self.status.document(now_ns)
        self.ring.set_status(document)
        self.events.tell("state", document)
        self.manager.status(self.status.line(now_ns))
        self._status_due_ns = now_ns + _STATUS_NS

    def _round(self) -> None:
        self.mailbox.deliver()
        now_ns = time.monotonic_ns()
        if self.hotplug.added():
            self._device_added(now_ns)
        self._controller.tick(now_ns)
        self.pending_controls.tick(now_ns)
        self.incident_log.tick(now_ns)
        self.checks.tick(now_ns)
        more = [server.step() for server in self.servers]  # all of them get their turn
        self._more_requests = any(more)
        now_ns = time.monotonic_ns()
        self.fallback.tick(now_ns)
        changes = self.status.changes(now_ns)
        if changes != self._told or now_ns >= self._status_due_ns:
            self._told = changes
            self._look_at_threads()
            self.tell_status(now_ns)
            if not self._looking_for_files:
                self._looking_for_files = True
                if not self.look_for_files(self._on_files_seen):
                    self._looking_for_files = False
        self._feed_watchdog(now_ns)

    def _look_at_threads(self) -> None:
        for thread in (self.camera.capture, self.spare.capture, self.acceptor):
            if not thread.is_alive():
                # Only a bug ends it. Whoever runs us starts a daemon that captures.
                raise RuntimeError(f"the {thread.name} thread has ended")

    def _on_monitor(self, monitor: Monitor | None) -> None:
        if (fd := self.hotplug.use(monitor)) is not None:
            self._poller.register(fd, select.POLLIN)
            self._device_added(time.monotonic_ns())  # while nobody listened, perhaps

    def _device_added(self, now_ns: int) -> None:
        self._controller.device_added(now_ns)
        self.fallback.own.device_added(now_ns)

    def _on_files_seen(self, lost: Path | None) -> None:
        """Take note, in the thread that looked: as a rule the main thread need not wake for it."""
        if lost is None:
            self._looking_for_files = False
        else:  # once is enough
            self._files_lost(lost)

    def _on_file_lost(self, lost: Path) -> None:
        """Make way for a successor where nobody new can find this daemon without `lost`."""
        if self.supervised:
            log.error("%s was removed, and others find this daemon by it: making way", lost)
            self.end(renewing=True)
        else:
            log.error("%s was removed, and others find this daemon by it: start it again", lost)

    def _feed_watchdog(self, now_ns: int) -> None:
        """Say that all is well: this loop turns, and the capture thread lives and returns."""
        watchdog_s = self.manager.watchdog_s
        if not watchdog_s or now_ns < self._feed_due_ns:
            return
        capture = self.camera.capture
        blocked_s = capture.observed().blocked_s(now_ns)
        if capture.is_alive() and blocked_s < HUNG_S:
            self.manager.alive()
        self._feed_due_ns = now_ns + int(watchdog_s * 1e9 / 4)

    def _timeout_ms(self, now_ns: int) -> int:
        if self._more_requests:
            return 0
        due_ns = [self._status_due_ns]
        if self.manager.watchdog_s:
            due_ns.append(self._feed_due_ns)
        deadlines = (deadline_ns() for deadline_ns in self._deadlines)
        due_ns += (deadline for deadline in deadlines if deadline is not None)
        # Rounded up: waking early would only mean to sleep again.
        return max(0, -(-(min(due_ns) - now_ns) // 1_000_000))
