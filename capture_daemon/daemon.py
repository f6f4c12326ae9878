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


class Daemon:
    """Everything that the main thread does between start and end."""

    def __init__(
        self,
        *,
        camera: Pipeline,
        spare: Pipeline,
        acceptor: Acceptor,
        fallback: Fallback,
        pending_controls: PendingControls,
        incident_log: IncidentLog,
        servers: Sequence[ControlServer],
        status: Status,
        ring: RingWriter,
        events: EventNotifier,
        manager: ServiceManager,
        mailbox: Mailbox,
        signals: SignalWatch,
        hotplug: Hotplug,
        checks: RequestChecks,
        look_for_files: Callable[[Callable[[Path | None], None]], bool],
        supervised: bool,
    ) -> None:
        """Take its parts; `supervised` says whether somebody starts a successor.

        `look_for_files` has posted which file of the daemon is gone; False if it cannot now.
        """
        self._controller = camera.controller
        self._capture = camera.capture
        self._threads = (camera.capture, spare.capture, acceptor)
        self._fallback = fallback
        self._pending_controls = pending_controls
        self._incident_log = incident_log
        self._servers = servers
        self._status = status
        self._ring = ring
        self._events = events
        self._manager = manager
        self._mailbox = mailbox
        self._signals = signals
        self._hotplug = hotplug
        self._checks = checks
        self._look_for_files = look_for_files
        self._supervised = supervised
        self._deadlines: tuple[Callable[[], int | None], ...] = (
            self._controller.deadline_ns,
            fallback.own.deadline_ns,
            pending_controls.deadline_ns,
            incident_log.deadline_ns,
            checks.deadline_ns,
            *(server.deadline_ns for server in servers),
        )
        self._poller = select.poll()
        self.renewing = False
        """The end is for a successor to go on: camera and ring are left as they are."""
        self._ending = False
        self._more_requests = False
        self._told: tuple[object, ...] = ()
        self._looking_for_files = False
        self._status_due_ns = 0
        self._feed_due_ns = 0

    def end(self, *, renewing: bool = False) -> None:
        """Leave the loop after this round; `renewing`: make way for a successor."""
        self._ending = True
        self.renewing = renewing

    def run(self) -> None:
        """Capture until a signal or `end`."""
        poller = self._poller
        servers = (server.fileno() for server in self._servers)
        for fd in (*servers, self._mailbox.fileno(), self._signals.fileno()):
            poller.register(fd, select.POLLIN)
        self._hotplug.start(self._mailbox.slot(self._on_monitor))
        self._controller.start(time.monotonic_ns())
        self._manager.ready()
        while not self._ending:
            poller.poll(self._timeout_ms(time.monotonic_ns()))
            for number in self._signals.received():
                log.info("ending: %s", number.name)
                self.end()
            self._round()

    def tell_status(self, now_ns: int) -> None:
        """Put the status document where readers and listeners see it."""
        document = self._status.document(now_ns)
        self._ring.set_status(document)
        self._events.tell("state", document)
        self._manager.status(self._status.line(now_ns))
        self._status_due_ns = now_ns + _STATUS_NS

    def _round(self) -> None:
        self._mailbox.deliver()
        now_ns = time.monotonic_ns()
        if self._hotplug.added():
            self._device_added(now_ns)
        self._controller.tick(now_ns)
        self._pending_controls.tick(now_ns)
        self._incident_log.tick(now_ns)
        self._checks.tick(now_ns)
        more = [server.receive() for server in self._servers]  # all of them get their turn
        self._more_requests = any(more)
        now_ns = time.monotonic_ns()
        self._fallback.tick(now_ns)
        changes = self._status.changes(now_ns)
        if changes != self._told or now_ns >= self._status_due_ns:
            self._told = changes
            self._look_at_threads()
            self.tell_status(now_ns)
            if not self._looking_for_files:
                seen = self._mailbox.slot(self._on_files_seen)
                self._looking_for_files = self._look_for_files(seen)
        self._feed_watchdog(now_ns)

    def _look_at_threads(self) -> None:
        for thread in self._threads:
            if not thread.is_alive():
                # Only a bug ends it. Whoever runs us starts a daemon that captures.
                raise RuntimeError(f"the {thread.name} thread has ended")

    def _on_monitor(self, monitor: Monitor | None) -> None:
        if (fd := self._hotplug.use(monitor)) is not None:
            self._poller.register(fd, select.POLLIN)
            self._device_added(time.monotonic_ns())  # while nobody listened, perhaps

    def _device_added(self, now_ns: int) -> None:
        self._controller.device_added(now_ns)
        self._fallback.own.device_added(now_ns)

    def _on_files_seen(self, lost: Path | None) -> None:
        """Make way for a successor where nobody new can find this daemon without `lost`."""
        self._looking_for_files = lost is not None  # once is enough
        if lost is None:
            return
        if self._supervised:
            log.error("%s was removed, and others find this daemon by it: making way", lost)
            self.end(renewing=True)
        else:
            log.error("%s was removed, and others find this daemon by it: start it again", lost)

    def _feed_watchdog(self, now_ns: int) -> None:
        """Say that all is well: this loop turns, and the capture thread lives and returns."""
        watchdog_s = self._manager.watchdog_s
        if not watchdog_s or now_ns < self._feed_due_ns:
            return
        blocked_s = self._capture.observed().blocked_s(now_ns)
        if self._capture.is_alive() and blocked_s < HUNG_S:
            self._manager.alive()
        self._feed_due_ns = now_ns + int(watchdog_s * 1e9 / 4)

    def _timeout_ms(self, now_ns: int) -> int:
        if self._more_requests:
            return 0
        due_ns = [self._status_due_ns]
        if self._manager.watchdog_s:
            due_ns.append(self._feed_due_ns)
        deadlines = (deadline_ns() for deadline_ns in self._deadlines)
        due_ns += (deadline for deadline in deadlines if deadline is not None)
        # Rounded up: waking early would only mean to sleep again.
        return max(0, -(-(min(due_ns) - now_ns) // 1_000_000))
