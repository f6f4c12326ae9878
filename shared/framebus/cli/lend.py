"""`framebus ctl lend`: the camera for another program, and back again, whatever becomes of that.

The daemon keeps the time, too: if this process dies, the camera comes back when the time is up.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from framebus.control.client import ControlClient
from framebus.errors import CameraAbsent, CommandRefused, ControlTimeout, FramebusError, UsageError
from framebus.json_parts import object_at

DEVICE = "FRAMEBUS_DEVICE"
"""Where the command finds the camera's node."""
TIME_IS_UP = 124
"""Exit code when the command was ended because the time was up, as of timeout(1)."""
_NOT_FOUND = 127
_CLOSED_S = 10.0  # a control transfer that a hung camera must time out of takes 5
_END_S = 2.0
_LOOK_EVERY_S = 0.05
_ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end this process, and with it the command. (SIGINT does so anyway.)"""


def lend(
    client: ControlClient,
    command: Sequence[str],
    seconds: float,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.monotonic,
) -> int:
    """Have the camera let go, run `command`, take the camera back; return the exit code.

    Raises UsageError for an empty command, FramebusError when the daemon does not let go, and
    SystemExit when a signal ends all of it. For the main thread.
    """
    if not command:
        raise UsageError("lend it to what? Put the command behind --, with its arguments")
    if shutil.which(command[0]) is None:  # viewers are not to lose a frame for a typing error
        say(f"cannot run {command[0]}: there is no such program (lend --for 60s -- COMMAND)")
        return _NOT_FOUND
    with _ended_by_signals():
        until_s = now_s() + seconds  # the daemon counts from the call as well
        reply = client.call("lend", {"seconds": seconds, "to": Path(command[0]).name})
        lent = reply if isinstance(reply, dict) else {}
        try:
            _wait_until_closed(client, sleep, now_s)
            return _run(command, str(lent.get("device", "")), max(0.0, until_s - now_s()), say)
        finally:
            # It comes back by itself at the end of its time, if the daemon cannot be asked now. And
            # what a person, or the next borrower, has done with it meanwhile is left as it is.
            with contextlib.suppress(CameraAbsent, CommandRefused, ControlTimeout):
                client.call("give_back", {"lease": lent.get("lease")})


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have signals that end this process leave by way of exceptions, so that it is put in order."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)  # a second one would stop it half way
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup(1) has it
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_closed(
    client: ControlClient, sleep: Callable[[float], None], now_s: Callable[[], float]
) -> None:
    deadline_s = now_s() + _CLOSED_S
    while now_s() < deadline_s:
        if object_at(client.call("status"), "cause").get("code") == "lent":
            return
        sleep(_LOOK_EVERY_S)
    raise FramebusError(f"the daemon has not let go of the camera within {_CLOSED_S:g} s")


def _run(command: Sequence[str], device: str, seconds: float, say: Callable[[str], None]) -> int:
    try:
        process = subprocess.Popen(list(command), env={**os.environ, DEVICE: device})
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        return _NOT_FOUND
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        say(f"the time is over: ending {command[0]}")
        _end(process)
        return TIME_IS_UP
    except BaseException:
        _end(process)
        raise
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may hang in the camera's driver
            process.wait(_CLOSED_S)
