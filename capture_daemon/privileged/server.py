"""The helper's loop: callers send their lines, and one request after another is carried out.

Runs as root, and trusts nobody: who may connect is the socket file's mode, what may be asked is
protocol.py's, and here it is made sure that the port holds a camera and that it is not reset too
often. Callers are read in the main thread, which waits for none of them, and requests are carried
out in another. It keeps no file open between requests.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Collection

from framebus.contract.words import Rung
from framebus.rate_limited_log import RateLimitedLog

from capture_daemon.devices.sysfs import SystemPaths, UsbPort
from capture_daemon.privileged.callers import Caller, Callers
from capture_daemon.privileged.fair_queue import FairQueue
from capture_daemon.privileged.protocol import Refused, Reply, Request, parse_request
from capture_daemon.recovery.actions import PortActions, RungFailed
from capture_daemon.recovery.budget import WINDOW_NS, Budgets

log = logging.getLogger(__name__)

IDLE_S = WINDOW_NS / 1e9
"""After so long without a request the budget has nothing to remember, and the helper may end."""
_REFUSALS_EVERY_S = 60
"""A refusal of the same kind and user is logged once in so long, with how often it was."""
_CROWDED = Reply("too many requests of your user wait", "too-often")


class Helper:
    """Carries out requests, within a budget for each port."""

    def __init__(
        self,
        *,
        actions: PortActions,
        paths: SystemPaths,
        power_ports: Collection[str],
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`power_ports` are the ports whose power may be switched."""
        self._actions = actions
        self._paths = paths
        self._power_ports = power_ports
        self._clock_ns = clock_ns
        self._budgets: dict[str, Budgets] = {}
        self._refusals = RateLimitedLog(log, clock_ns, every_s=_REFUSALS_EVERY_S)

    def answer(self, line: bytes, asker: str, uid: int) -> Reply:
        """Carry out the request in `line`, if it is one; never raises for what it says.

        `asker` is what the log calls who asked, and `uid` whose refusals it counts.
        """
        try:
            request = parse_request(line)
            note = self._carry_out(request)
        except Refused as refusal:
            self._refusals.warning(
                (uid, refusal.error), f"{asker}: refused ({refusal.error}: {refusal.note})"
            )
            return Reply(refusal.note, refusal.error)
        log.info("%s: %s", asker, note)
        return Reply(note)

    def _carry_out(self, request: Request) -> str:
        port = UsbPort(request.port, self._paths)
        power = request.rung is Rung.PORT_POWER
        if power and port.name not in self._power_ports:
            raise Refused("not-allowed", f"the power of {port.name} is not this helper's to switch")
        if port.occupied():
            if not port.is_camera():
                raise Refused("not-a-camera", f"{port.name} has no video interface")
        elif not power:  # which is for a camera that fell off its bus
            raise Refused("absent", f"nothing is plugged into {port.name}")
        now_ns = self._clock_ns()
        budgets = self._budgets.get(port.name, Budgets())
        wait_ns = budgets.free_ns(request.rung, now_ns) - now_ns
        if wait_ns > 0:
            raise Refused("too-often", f"again in {wait_ns / 1e9:.0f} s")
        self._budgets[port.name] = budgets.spend(request.rung, now_ns)
        try:
            return self._actions.carry_out(request.rung, port)
        except RungFailed as error:
            raise Refused("failed", str(error)) from error


def serve(listener: socket.socket, helper: Helper, *, idle_s: float) -> None:
    """Answer callers until none has come for `idle_s` seconds."""
    listener.setblocking(False)
    callers, queue = Callers(), FairQueue()
    worker = threading.Thread(target=_carry_out, args=(queue, helper), daemon=True)
    worker.start()
    while True:
        timeout_s = callers.timeout_s()
        waiting = tuple(callers)
        watched: list[socket.socket | Caller] = [listener, *waiting]
        ready, _, _ = select.select(watched, [], [], idle_s if timeout_s is None else timeout_s)
        if not worker.is_alive():
            raise RuntimeError("the thread that carries out requests has ended")
        if not ready and not waiting and queue.idle:
            return
        for caller in waiting:
            if caller in ready and caller.read():
                _take(caller, callers, queue)
        if listener in ready:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                callers.admit(listener.accept()[0])
        callers.expire()


def _take(caller: Caller, callers: Callers, queue: FairQueue) -> None:
    callers.leave(caller)
    if not caller.line:
        caller.close()
    elif not queue.put(caller):
        caller.answer(_CROWDED.encode())


def _carry_out(queue: FairQueue, helper: Helper) -> None:
    while True:
        caller = queue.next()
        caller.answer(helper.answer(caller.line, caller.asker, caller.uid).encode())
        queue.done()
