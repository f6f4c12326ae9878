"""The capture thread: it alone opens, reads and closes the source, one command after another.

Because it is one thread, the device can never be busy by our own doing. It may block in a source
for seconds; the main thread never waits for it, and learns what happened from reports. It does
not decide anything: that is the controller's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from framebus.contract.causes import Cause
from framebus.contract.words import DEVICE_LEVEL

from capture_daemon.capturing.commands import (
    Close,
    Command,
    CommandQueue,
    Observed,
    Open,
    Quit,
    RestartStream,
    RunRung,
)
from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.publisher import Publisher
from capture_daemon.capturing.reports import (
    Closed,
    Failed,
    FrameSeen,
    Opened,
    Report,
    RungDone,
    Settled,
    StreamRestarted,
    Surveyed,
    cause_of,
    log_bug,
    silence_cause,
)
from capture_daemon.capturing.settling import Settling
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.recovery.base import Rungs
from capture_daemon.recovery.rungs import Outcome, Result
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import MakesPictures, PassesFrames, Restartable, Source

log = logging.getLogger(__name__)

_READING = "reading"
_READ_S = 0.5
"""A read returns this often at least, so that a live thread can be told from a hung one."""


class CaptureThread(threading.Thread):
    """Start it once; `Quit` ends it. The other public methods return at once, in any thread."""

    def __init__(
        self,
        *,
        name: str,
        sources: SourceOwner,
        rungs: Rungs,
        publisher: Publisher,
        counters: FrameCounters,
        post: Callable[[Report], None],
        opened: Callable[[int, Source], None] | None,
    ) -> None:
        # A daemon thread: one that hangs in an ioctl must not keep the interpreter from exiting.
        super().__init__(name=name, daemon=True)
        self._sources = sources
        self._rungs = rungs
        self._publisher = publisher
        self._counters = counters
        self._post = post
        self._opened = opened
        self._commands = CommandQueue()
        self._source: Source | None = None
        self._request: CaptureRequest | None = None
        self._session = 0
        self._settling = Settling()
        self._passes_frames: PassesFrames | None = None  # the source, if it does
        self._call: tuple[str, int] | None = None  # what the source does, and since when

    # -- for other threads ---------------------------------------------------------------------

    def command(self, command: Command) -> None:
        """Have a command carried out; what comes of it is posted."""
        self._commands.put(command)

    def dispose(self) -> None:
        """Give the thread's descriptor back, after its end."""
        if not self.is_alive():
            self._commands.interrupt.close()

    def observed(self) -> Observed:
        """Return what can be seen of its work now."""
        doing, since_ns = self._call or ("", None)
        if doing == _READING and since_ns is not None:
            since_ns = max(since_ns, self._publisher.heartbeat_ns)
        arrived_ns, rate, rejected = self._counters.lately()
        return Observed(
            arrived_ns=arrived_ns,
            rate=rate,
            rejected=tuple(rejected),
            too_large=self._publisher.too_large,
            unchanged_since_ns=self._publisher.freeze_detector.since_ns,
            doing=doing,
            doing_since_ns=since_ns,
        )

    # -- the thread ----------------------------------------------------------------------------

    def run(self) -> None:
        """Carry out commands and, while a source is open, read it."""
        while True:
            for command in self._commands.take(wait=self._source is None):
                match command:
                    case Open(session, request):
                        self._do_open(session, request)
                    case RestartStream(session):
                        self._do_restart_stream(session)
                    case Close(session):
                        self._do_close()
                        self._post(Closed(session))
                    case RunRung():
                        self._do_run_rung(command)
                    case Quit(leave):
                        if not (leave and self._sources.kept):
                            self._do_close()
                        return
            if self._source is not None:
                self._read(self._source)

    def _do_open(self, session: int, request: CaptureRequest) -> None:
        self._do_close()
        self._session = session
        try:
            self._call = ("opening", time.monotonic_ns())
            self._request = request
            kind, self._source, granted = self._sources.open(request, self._commands.interrupt)
        except Exception as error:  # noqa: BLE001  a source's bug must not end the thread
            self._fail(error)
            return
        self._call = None
        self._settling.begin()
        if isinstance(self._source, MakesPictures):
            self._source.unwanted = self._publisher.unwanted
        granted = request.spec.conceal_granted(granted)
        self._publisher.begin(granted)
        source = self._source
        self._passes_frames = source if isinstance(source, PassesFrames) else None
        self._survey(self._source)
        self._post(Opened(session, granted, kind))
        if self._opened is not None:
            self._opened(session, self._source)

    def _do_restart_stream(self, session: int) -> None:
        source, request = self._source, self._request
        if source is None or request is None or session != self._session:
            return
        if not isinstance(source, Restartable):
            # Closing and opening again is what is left.
            rejected = self._counters.rejected_since()
            cause = silence_cause(request.spec, rejected, self._publisher.too_large)
            self._fail_for(cause, permanent=False)
            return
        try:
            self._call = ("restarting its stream", time.monotonic_ns())
            source.restart_stream()
        except Exception as error:  # noqa: BLE001  a source's bug must not end the thread
            self._fail(error)
            return
        self._call = None
        self._settling.begin()
        self._counters.begin_session()
        self._post(StreamRestarted(session))

    def _do_close(self) -> None:
        self._call = ("closing", time.monotonic_ns())
        try:
            self._sources.close()
        except Exception as error:  # noqa: BLE001  close never raises; this thread goes on
            log_bug("a bug in the source", error)
        self._call = None
        self._source = None

    def _do_run_rung(self, order: RunRung) -> None:
        self._do_close()
        if order.rung in DEVICE_LEVEL:  # the others wait for other processes, which is no hanging
            self._call = (order.rung.value, time.monotonic_ns())
        try:
            outcome = self._rungs.run_rung(order.rung, order.limit_s, self._commands.interrupt)
        except Exception as error:
            log.exception("a bug in a rung")  # it must not end the thread
            outcome = Outcome(Result.UNAVAILABLE, f"{type(error).__name__}: {error}")
        self._call = None
        self._post(RungDone(order.session, order.rung, outcome))

    def _read(self, source: Source) -> None:
        self._call = (_READING, time.monotonic_ns())
        publisher = self._publisher
        try:
            fast_path = publisher.fast_path if self._settling.settled else None
            if fast_path is not None and self._passes_frames is not None:
                captured = self._passes_frames.read_unusual(fast_path, _READ_S)
            else:
                captured = source.read(_READ_S)
            if captured is None:
                self._commands.interrupt.clear()  # the commands are looked at next, after this
                return
            valid = publisher.take(captured)
        except Exception as error:  # noqa: BLE001  a source's bug must not end the thread
            self._fail(error)
            return
        finally:
            self._call = None
        if not valid:
            return
        if self._settling.settled:
            return
        now_ns = time.monotonic_ns()
        if self._settling.is_first(now_ns):
            self._post(FrameSeen(self._session, self._publisher.width, self._publisher.height))
        elif self._settling.has_settled(now_ns):
            self._publisher.settled()
            self._post(Settled(self._session))

    def _survey(self, source: Source | None) -> None:
        try:
            unavailable = self._rungs.survey(source)
        except Exception:
            log.exception("a bug in the survey of rungs")  # it must not end the thread
            return
        self._post(Surveyed(self._session, unavailable))

    def _fail(self, error: Exception) -> None:
        if self._request is None:
            raise ValueError("fail: no source was opened") from error
        cause, permanent = cause_of(error, self._request.spec)
        self._fail_for(cause, permanent=permanent)

    def _fail_for(self, cause: Cause, *, permanent: bool) -> None:
        self._do_close()
        self._survey(self._sources.built)
        self._post(Failed(self._session, cause, permanent))
