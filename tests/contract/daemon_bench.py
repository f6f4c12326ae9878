"""The daemon's threads in this process, over a camera of a test's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from framebus.cli import polling
from framebus.control.client import ControlClient
from framebus.names import CameraNames
from framebus.options.chosen import Chosen
from framebus.ring.writer import RingWriter
from framebus.signal_watch import SignalWatch

from capture_daemon.devices.hotplug import Hotplug
from capture_daemon.lifecycle.pipeline import SourceAccess
from capture_daemon.ownership.inherited_device import PredecessorState
from capture_daemon.ownership.keeper_client import KeeperClient
from capture_daemon.ownership.locks import Locks
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.parts import Parts
from capture_daemon.settings.options import settings
from capture_daemon.sources.base import Source
from capture_daemon.systemd import ServiceManager
from tests.helpers.waiting import until


def owner_of(source: Source, runtime: Path) -> SourceOwner:
    """Return what owns `source`, whatever it is asked to build."""
    return SourceOwner(
        locks=Locks(), runtime=runtime, keeper=KeeperClient({}), build=lambda *_: source
    )


class Bench:
    def __init__(
        self,
        runtime: Path,
        stack: ExitStack,
        *,
        source: str,
        camera: SourceAccess,
        spare: SourceAccess,
    ) -> None:
        self.names = CameraNames(runtime, "camera")
        signals = SignalWatch(())
        stack.callback(signals.close)
        self.parts = Parts(
            settings(Chosen({"source": source, "ring_size": "1M"})),
            self.names,
            state=runtime / "state",
            writer=RingWriter.create(self.names, capacity=1 << 20),
            predecessor_state=PredecessorState(),
            camera=camera,
            spare=spare,
            hotplug=Hotplug(lambda: None, after_s=0.0),
            manager=ServiceManager({}),
            signals=signals,
            stack=stack,
        )
        self.client = ControlClient(self.names, timeout_s=30.0)
        stack.callback(self.client.close)
        self.parts.start()
        self.thread = threading.Thread(target=self.parts.daemon.run, name="main loop")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        if method == "configure":  # on a busy machine its look may take longer than a call
            clock, sleep = time.monotonic, time.sleep
            result = polling.configure(self.client, params, clock=clock, sleep=sleep)
        else:
            result = self.client.call(method, params)
        assert isinstance(result, dict)
        return result

    def until_state(self, state: str) -> dict[str, Any]:
        def reached() -> dict[str, Any]:
            status = self.call("status")
            return status if status["state"] == state else {}

        return until(reached, what=state)

    def until_well(self) -> dict[str, Any]:
        """Wait until it streams, and has forgotten the failures before."""

        def well() -> dict[str, Any]:
            status = self.call("status")
            return status if status["state"] == "streaming" and not status["attempts"] else {}

        return until(well, what="it streams and has settled")


@contextmanager
def running(
    runtime: Path, *, source: str, camera: SourceAccess, spare: SourceAccess
) -> Iterator[Bench]:
    """Run a daemon whose camera is `source`; the body lets go what blocks before it ends."""
    with ExitStack() as stack:
        bench = Bench(runtime, stack, source=source, camera=camera, spare=spare)
        bench.thread.start()
        yield bench
        bench.call("shutdown")
        bench.thread.join()
        assert bench.parts.end_threads(30)
