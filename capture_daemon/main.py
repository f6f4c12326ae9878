"""Builds the daemon, runs it, and takes it apart: the only place that knows every part.

The order matters. The camera's lock comes before anything that could take a living daemon's place:
binding an ipc path steals it. What is built is taken apart in the reverse order, whatever happens.
No part of this process forks.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from framebus.names import (
    PRIVILEGED_SOCKET,
    CameraNames,
    create_runtime_dir,
    incident_journal,
    runtime_dir,
    state_dir,
)
from framebus.notify import EventNotifier, Notifier, own_context
from framebus.ring.predecessor import Predecessor, left_behind
from framebus.ring.writer import RingWriter

from capture_daemon import capture, keeper
from capture_daemon.adjustments import Adjustments
from capture_daemon.capture import CaptureThread
from capture_daemon.conductor import Conductor
from capture_daemon.counters import FrameCounters
from capture_daemon.daemon import Daemon, Signals
from capture_daemon.device import DeviceThread
from capture_daemon.diagnosis.journal import Journal
from capture_daemon.diagnosis.tools import local_tools
from capture_daemon.exclusive import ExclusiveSources
from capture_daemon.findings import Findings
from capture_daemon.handlers import Handlers
from capture_daemon.hotplug import Hotplug, open_monitor
from capture_daemon.inheritance import Inheritance
from capture_daemon.inquiries import InquiryThread
from capture_daemon.locks import Locks
from capture_daemon.options import Settings
from capture_daemon.outage import Outage
from capture_daemon.plan import Plan
from capture_daemon.privileged.client import PrivilegedClient
from capture_daemon.process import (
    END_S,
    allow_many_connections,
    leave_at_once,
    log_to_stderr,
)
from capture_daemon.publisher import Publisher
from capture_daemon.recovery.actions import PortActions
from capture_daemon.recovery.base import Rungs
from capture_daemon.recovery.executor import Executor
from capture_daemon.recovery.holding import Holding, holders_of
from capture_daemon.reports import Mailbox
from capture_daemon.server import ControlServer
from capture_daemon.signals import SignalWatch
from capture_daemon.sources.base import LastFrame, Source
from capture_daemon.sources.spec import SourceSpec
from capture_daemon.status import Ring, Status
from capture_daemon.systemd import ServiceManager

log = logging.getLogger("capture_daemon")


def run(settings: Settings, environ: MutableMapping[str, str]) -> int:
    """Be the daemon of one camera until a signal; return the exit code. Raises FramebusError."""
    log_to_stderr(settings)
    allow_many_connections()
    # The ring and the lock files give the group what it may have, others nothing.
    os.umask(0o027)
    device = keeper.handed_over(environ)
    names = CameraNames(create_runtime_dir(runtime_dir(environ)), settings.name)
    with ExitStack() as stack:
        locks = Locks()
        stack.callback(locks.release_all)
        locks.acquire(names.lock, f"camera {settings.name!r}")
        manager = ServiceManager(environ)
        stack.callback(manager.close)
        signals = SignalWatch()
        stack.callback(signals.close)
        with left_behind(names) as predecessor:
            last = _last_frame(predecessor)
            sources = ExclusiveSources(
                locks=locks,
                runtime=names.runtime,
                keeper=keeper.Keeper(environ),
                inheritance=_inheritance(device, predecessor, last),
            )
            sources.check_held(settings.plan)
            writer = RingWriter.create(names, capacity=settings.ring_size, predecessor=predecessor)
        parts = Parts(
            settings,
            names,
            state=state_dir(environ),
            writer=writer,
            newest_ns=last.captured_ns if last else 0,
            sources=sources,
            rungs=_rungs(settings, names, environ),
            hotplug=Hotplug(open_monitor),
            manager=manager,
            signals=signals,
            stack=stack,
        )
        log.info("camera %s, pid %d, runtime %s", settings.name, os.getpid(), names.runtime)
        try:
            parts.daemon.run()
        finally:
            manager.stopping()
            ended = parts.end_threads(END_S)
        if not ended:
            leave_at_once(names, locks)
    log.info("ended")
    return 0


class Sources(capture.Sources, Protocol):
    """What is needed of exclusive.ExclusiveSources; tests bring their own."""

    def check(self, plan: Plan) -> None:
        """Raise for a plan that cannot be carried out now."""

    def current(self) -> SourceSpec | None:
        """Return the source built last, None before. Any thread."""

    @property
    def supervised(self) -> bool:
        """Whether somebody keeps the device and starts a successor."""


class Parts:
    """What one daemon is made of. The stack takes it apart."""

    def __init__(
        self,
        settings: Settings,
        names: CameraNames,
        *,
        state: Path,
        writer: RingWriter,
        newest_ns: int,
        sources: Sources,
        rungs: Rungs,
        hotplug: Hotplug,
        manager: ServiceManager,
        signals: Signals,
        stack: ExitStack,
    ) -> None:
        """Build everything, start the threads, and put the way back on `stack`.

        The caller holds the camera's lock. The newest frame in `writer`'s ring is of `newest_ns`.
        """
        stack.callback(lambda: writer.close(leave=self.daemon.renewing))
        mailbox = Mailbox()
        stack.callback(mailbox.close)
        stack.callback(hotplug.close)
        context = own_context()
        stack.callback(context.term)
        notifier = Notifier(context, names)
        stack.callback(notifier.close)
        events = EventNotifier(context, names)
        stack.callback(events.close)
        counters = FrameCounters()
        self._device = DeviceThread(post=mailbox.post)
        journal = Journal(incident_journal(state, settings.name))
        self._inquiries = InquiryThread(
            tools=local_tools(), journal=journal, source=sources.current, post=mailbox.post
        )
        findings = Findings(
            inquiries=self._inquiries, journal=journal.path, event=events.send, pid=os.getpid()
        )
        outage = Outage(camera=settings.name, tell=findings.on_incident)
        self._capture = CaptureThread(
            sources=sources,
            rungs=rungs,
            publisher=Publisher(
                ring=writer,
                announcer=notifier,
                counters=counters,
                newest_ns=newest_ns,
            ),
            counters=counters,
            post=mailbox.post,
            opened=self._on_open,
        )
        stack.callback(self._capture.dispose)
        self._conductor = Conductor(
            capture=self._capture,
            plan=settings.plan,
            jitter=random.random,
            now_ns=time.monotonic_ns(),
            outage=outage,
        )
        adjustments = Adjustments(device=self._device, event=events.send)
        handlers = Handlers(
            conductor=self._conductor,
            adjustments=adjustments,
            findings=findings,
            status=lambda now_ns: status.document(now_ns),
            check=sources.check,
            shutdown=lambda: self.daemon.end(),
            renew=(lambda: self.daemon.end(renewing=True)) if sources.supervised else None,
            clock=time.monotonic_ns,
        )
        server = ControlServer(context=context, path=names.control_socket, call=handlers.call)
        stack.callback(server.close)
        status = Status(
            camera=settings.name,
            pid=os.getpid(),
            ring=_ring(writer, names),
            conductor=self._conductor,
            counters=counters,
            control=server.counts,
            started_utc_ns=time.time_ns(),
        )
        self.daemon = Daemon(
            conductor=self._conductor,
            capture=self._capture,
            adjustments=adjustments,
            findings=findings,
            server=server,
            status=status,
            ring=writer,
            events=events,
            manager=manager,
            mailbox=mailbox,
            signals=signals,
            hotplug=hotplug,
        )
        self._device.start()
        self._inquiries.start()
        self._inquiries.read_journal()
        self._capture.start()

    def _on_open(self, session: int, source: Source) -> None:
        """A source was opened. Runs in the capture thread."""
        self._device.attach(session, source)
        self._inquiries.learn_device()

    def end_threads(self, timeout_s: float) -> bool:
        """End the threads; False if one still hangs after `timeout_s`.

        The source is closed, but for a renewal, which leaves a device that is kept streaming.
        """
        deadline = time.monotonic() + timeout_s
        if not self.daemon.renewing:
            self._conductor.stop(time.monotonic_ns())
        self.daemon.tell_status(time.monotonic_ns())
        self._capture.quit(leave=self.daemon.renewing)
        self._device.quit()
        self._inquiries.quit()
        # What the inquiries hang in holds no device: they are waited for, and else left behind.
        for thread in (self._capture, self._device, self._inquiries):
            thread.join(max(0.0, deadline - time.monotonic()))
        return not (self._capture.is_alive() or self._device.is_alive())


def _rungs(settings: Settings, names: CameraNames, environ: Mapping[str, str]) -> Executor:
    socket = Path(environ.get("FRAMEBUS_PRIVILEGED_SOCKET") or PRIVILEGED_SOCKET)
    return Executor(
        actions=PortActions(),
        helper=PrivilegedClient(socket),
        holding=Holding(runtime=names.runtime, own_lock=names.lock, find=holders_of),
        end_holders=settings.end_holder,
        power_ports=settings.power_ports,
    )


def _last_frame(predecessor: Predecessor | None) -> LastFrame | None:
    newest = predecessor.newest if predecessor else None
    return LastFrame(newest.captured_ns, newest.device_sequence) if newest else None


def _inheritance(
    device: int | None, predecessor: Predecessor | None, last: LastFrame | None
) -> Inheritance | None:
    """Return the device that was handed over, with what its owner said of it last."""
    if device is None:
        return None
    return Inheritance(device, predecessor.status if predecessor else {}, last)


def _ring(writer: RingWriter, names: CameraNames) -> Ring:
    geometry = writer.geometry
    return Ring(
        path=str(names.segment_path),
        epoch=writer.epoch,
        size=geometry.size,
        arena=geometry.capacity,
        descriptors=geometry.count,
        largest=writer.largest,
    )
