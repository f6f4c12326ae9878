"""One daemon's process: what it holds from its start to its end, and what it leaves behind.

The order matters. The camera's lock comes before anything that could take a living daemon's place:
binding an ipc path steals it. What is built is taken apart in the reverse order, whatever happens.
No part of this process runs on in a fork: it starts programs only.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import ExitStack
from pathlib import Path

from framebus import logs
from framebus.names import (
    PRIVILEGED_SOCKET,
    CameraNames,
    runtime_dir,
    state_dir,
)
from framebus.options.table import END_HOLDER, LOG_LEVEL, POWER_PORTS, PURE_PYTHON, RING_SIZE
from framebus.ring.predecessor import left_behind
from framebus.ring.writer import RingWriter
from framebus.signal_watch import SignalWatch
from framebus.trusted_files import create_runtime_dir

from capture_daemon.devices.hotplug import Hotplug, open_monitor
from capture_daemon.lifecycle.pipeline import SourceAccess
from capture_daemon.ownership import keeper_client
from capture_daemon.ownership.inherited_device import PredecessorState
from capture_daemon.ownership.locks import Locks
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.parts import Parts
from capture_daemon.privileged.client import PrivilegedClient
from capture_daemon.process import (
    END_S,
    allow_many_connections,
    control_group,
    fast_path_library,
    leave_at_once,
)
from capture_daemon.recovery.actions import PortActions
from capture_daemon.recovery.executor import Executor
from capture_daemon.recovery.holding import Holding
from capture_daemon.settings.options import Settings
from capture_daemon.systemd import ServiceManager

log = logging.getLogger("capture_daemon")


def run(settings: Settings, environ: MutableMapping[str, str]) -> int:
    """Be the daemon of one camera until a signal; return the exit code. Raises FramebusError."""
    logs.to_stderr(settings.name, settings.options[LOG_LEVEL])
    allow_many_connections()
    # The ring and the lock files give the group what it may have, others nothing.
    os.umask(0o027)
    may_command = control_group(settings.options)
    device = keeper_client.handed_over(environ)
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
            predecessor_state = PredecessorState.of(predecessor)
            sources = SourceOwner(
                locks=locks,
                runtime=names.runtime,
                keeper=keeper_client.KeeperClient(environ),
                inherited=predecessor_state.device(device),
            )
            sources.check_held(settings.request)
            spares = SourceOwner(
                locks=locks,
                runtime=names.runtime,
                keeper=keeper_client.KeeperClient({}),  # the store is for the camera alone
                apart_from=sources.current,
            )
            if settings.fallback is not None:
                spares.check_apart(settings.fallback, settings.request.spec)
            writer = RingWriter.create(
                names,
                capacity=settings.options[RING_SIZE],
                predecessor=predecessor,
                cameras=settings.cameras(environ),
                frame=settings.request.format.size,
            )
        parts = Parts(
            settings,
            names,
            state=state_dir(environ),
            writer=writer,
            predecessor_state=predecessor_state,
            camera=SourceAccess(sources, _rungs(settings, names, environ)),
            spare=SourceAccess(spares, _rungs(settings, names, environ)),
            hotplug=Hotplug(open_monitor),
            manager=manager,
            signals=signals,
            control_group=may_command,
            library=None if settings.options[PURE_PYTHON] else fast_path_library(),
            stack=stack,
        )
        source = settings.request.spec.text
        log.info("camera %s, %s, pid %d, %s", settings.name, source, os.getpid(), names.runtime)
        try:
            parts.start()
            parts.daemon.run()
        finally:
            manager.stopping()
            try:
                parts.tell_end()
            finally:
                # Ring and sockets are closed only where nobody may publish any more.
                if not parts.end_threads(END_S):
                    leave_at_once(names, locks, ring=None if parts.daemon.renewing else writer.path)
    log.info("ended")
    return 0


def _rungs(settings: Settings, names: CameraNames, environ: Mapping[str, str]) -> Executor:
    socket = Path(environ.get("FRAMEBUS_PRIVILEGED_SOCKET") or PRIVILEGED_SOCKET)
    return Executor(
        actions=PortActions(),
        helper=PrivilegedClient(socket),
        holding=Holding(runtime=names.runtime, own_lock=names.lock, find=_holders),
        end_holders=settings.options[END_HOLDER],
        power_ports=settings.options[POWER_PORTS],
    )


def _holders(rdev: int) -> Iterable[int]:
    """Return the pids that /proc shows to have the device open or mapped."""
    from capture_daemon.diagnosis.holders import find  # a daemon that starts need not wait for it

    return [holder.pid for holder in find(rdev).found]
