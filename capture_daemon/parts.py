"""What one daemon is made of: the only place that builds it and knows every part.

It holds nothing that is the process's: its locks, its signals and the camera come in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from framebus.names import CameraNames, incident_journal
from framebus.notifier import EventNotifier, Notifier
from framebus.ring.writer import RingWriter
from framebus.signal_watch import SignalWatch
from framebus.zmtp.publisher import Acceptor

from capture_daemon.capturing.commands import Quit
from capture_daemon.capturing.outlet import Outlet
from capture_daemon.capturing.reports import Mailbox
from capture_daemon.capturing.switcher import Switcher
from capture_daemon.control.configuring import ConfigureRequest
from capture_daemon.control.device import DeviceThread
from capture_daemon.control.diagnostics_thread import DiagnosticsThread
from capture_daemon.control.handlers import Handlers
from capture_daemon.control.incident_log import IncidentLog
from capture_daemon.control.pending_controls import PendingControls
from capture_daemon.control.request_checks import RequestChecks
from capture_daemon.control.server import ControlServer, counts
from capture_daemon.control.status import Status, ring_document
from capture_daemon.daemon import Daemon
from capture_daemon.devices.hotplug import Hotplug
from capture_daemon.diagnosis.journal import Journal
from capture_daemon.diagnosis.tools import Tools
from capture_daemon.lifecycle.fallback import Fallback, fallback_request
from capture_daemon.lifecycle.fallback import log as fallback_log
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.lifecycle.pipeline import Pipeline, SourceAccess
from capture_daemon.native.library import Library
from capture_daemon.ownership.inherited_device import PredecessorState
from capture_daemon.ownership.runtime_files_watch import RuntimeFilesWatch
from capture_daemon.settings.options import Settings
from capture_daemon.sources.base import Source
from capture_daemon.systemd import ServiceManager


class Parts:
    """What one daemon is made of. The stack takes it apart."""

    def __init__(
        self,
        settings: Settings,
        names: CameraNames,
        *,
        state: Path,
        writer: RingWriter,
        predecessor_state: PredecessorState,
        camera: SourceAccess,
        spare: SourceAccess,
        hotplug: Hotplug,
        manager: ServiceManager,
        signals: SignalWatch,
        control_group: int = -1,
        library: Library | None = None,
        stack: ExitStack,
    ) -> None:
        """Build everything, and put the way back on `stack`; `start` starts the threads.

        The caller holds the camera's lock. `writer`'s ring goes on from the predecessor's. `camera`
        and `spare` are for the source and for its fallback. `control_group` is the id of the group
        that may command, -1 for the process's own. `library` has the fast path.
        """
        # A daemon that could not be built has no successor.
        self._renews: Callable[[], bool] = lambda: False
        stack.callback(lambda: writer.close(leave=self._renews()))
        mailbox = Mailbox()
        stack.callback(mailbox.close)
        stack.callback(hotplug.close)
        acceptor = Acceptor()
        stack.callback(acceptor.close)
        outlet = Outlet(writer, library)
        notifier = Notifier(acceptor, names, lock=outlet.lock, subscribed=outlet.state.subscribed)
        stack.callback(notifier.close)
        events = EventNotifier(acceptor, names)
        stack.callback(events.close)
        self._device = DeviceThread(
            described=mailbox.slot(lambda report: pending_controls.on_described(report))
        )
        journal = Journal(incident_journal(state, names.runtime, settings.name))
        self._diagnostics = DiagnosticsThread(
            tools=Tools(apart_from=spare.sources.current),
            journal=journal,
            source=camera.sources.current,
            post=mailbox.slot(lambda report: incident_log.on_report(report)),
        )
        incident_log: IncidentLog = IncidentLog(
            diagnostics=self._diagnostics, journal=journal.path, event=events.tell, pid=os.getpid()
        )
        switcher = Switcher(
            ring=writer,
            announce=notifier.announce,
            newest_ns=predecessor_state.newest_ns,
            outlet=outlet,
        )
        self._camera = Pipeline(
            "capture",
            request=settings.request,
            access=camera,
            outlet=switcher.camera,
            outage=Outage(
                camera=settings.name,
                tell=incident_log.on_incident,
                given_up=predecessor_state.given_up,
            ),
            mailbox=mailbox,
            opened=self._on_open,
            rests=True,
        )
        self._spare = Pipeline(
            "fallback",
            # Without a fallback nothing is ever opened there.
            request=fallback_request(settings.request, settings.fallback or settings.request.spec),
            access=spare,
            outlet=switcher.fallback,
            outage=Outage(log=fallback_log),
            mailbox=mailbox,
            opened=None,
        )
        for pipeline in (self._camera, self._spare):
            stack.callback(pipeline.capture.dispose)
        fallback = Fallback(
            camera=self._camera.controller,
            own=self._spare.controller,
            show=switcher.show_fallback,
            spec=settings.fallback,
        )

        def check(wanted: ConfigureRequest, present: ConfigureRequest) -> None:
            camera.sources.check(wanted.capture)
            if wanted.fallback is not None:
                spare.sources.check_apart(wanted.fallback, wanted.capture.spec)
                if wanted.fallback != present.fallback:
                    spare.sources.check(fallback_request(wanted.capture, wanted.fallback))

        pending_controls: PendingControls = PendingControls(
            device=self._device,
            event=events.tell,
            mailbox=mailbox,
            controller=self._camera.controller,
        )
        checks = RequestChecks(mailbox=mailbox)
        handlers = Handlers(
            controller=self._camera.controller,
            fallback=fallback,
            pending_controls=pending_controls,
            incident_log=incident_log,
            status=lambda now_ns, operator: status.document(now_ns, operator=operator),
            checks=checks,
            check=check,
            shutdown=lambda: self.daemon.end(),
            renew=(lambda: self.daemon.end(renewing=True)) if camera.sources.supervised else None,
            clock=time.monotonic_ns,
        )
        servers = [
            ControlServer(path=names.control_socket, call=handlers.call, group=control_group)
        ]
        stack.callback(servers[0].close)
        servers.append(ControlServer(path=names.queries_socket, call=handlers.ask))
        stack.callback(servers[1].close)
        status = Status(
            camera=settings.name,
            pid=os.getpid(),
            epoch=writer.epoch,
            ring=ring_document(writer),
            controller=self._camera.controller,
            counters=self._camera.counters,
            fallback=fallback,
            fallback_counters=self._spare.counters,
            control=lambda: counts(servers),
            started_ns=time.monotonic_ns(),
        )
        files = RuntimeFilesWatch((*names.files, writer.path))
        self.daemon = Daemon(
            camera=self._camera,
            spare=self._spare,
            acceptor=acceptor,
            fallback=fallback,
            pending_controls=pending_controls,
            incident_log=incident_log,
            checks=checks,
            servers=servers,
            status=status,
            ring=writer,
            events=events,
            manager=manager,
            mailbox=mailbox,
            signals=signals,
            hotplug=hotplug,
            look_for_files=partial(self._diagnostics.look_for_files, files.lost),
            supervised=camera.sources.supervised,
            at_rest=predecessor_state.rested and not camera.sources.was_handed_over,
        )
        self._renews = lambda: self.daemon.renewing

    def start(self) -> None:
        """Start the threads; `end_threads` ends those that run, whatever came of it."""
        self._device.start()
        self._diagnostics.start()
        self._diagnostics.read_journal()
        self._camera.capture.start()
        self._spare.capture.start()

    def _on_open(self, session: int, source: Source) -> None:
        """A source was opened. Runs in the capture thread."""
        self._device.attach(session, source)
        self._diagnostics.learn_device()

    def tell_end(self) -> None:
        """Tell readers that the capture ends; but for a renewal, after which it goes on."""
        if not self.daemon.renewing:
            self._camera.controller.stop(time.monotonic_ns())
        self.daemon.tell_status(time.monotonic_ns())

    def end_threads(self, timeout_s: float) -> bool:
        """End the threads; False if one that may hold the device, or publish, hangs longer.

        The source is closed, but for a renewal, which leaves a device that is kept streaming.
        """
        deadline = time.monotonic() + timeout_s
        self._camera.capture.command(Quit(leave=self.daemon.renewing))
        self._spare.capture.command(Quit())
        self._device.quit()
        self._diagnostics.quit()
        holding = (self._camera.capture, self._spare.capture, self._device)
        # What the diagnostics hang in holds no device: they are waited for, and else left behind.
        for thread in (*holding, self._diagnostics):
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in holding)
