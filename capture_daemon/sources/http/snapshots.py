"""An address that gives one picture, asked again and again: at most once a tick.

A tick that goes wrong has no picture; only several in a row are a failure of the source. A server
that says that its picture is still the same (304) costs no transfer and no loss: it is shown again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from capture_daemon.sources.base import Interrupt, SourceError, SourceGone
from capture_daemon.sources.http import errors
from capture_daemon.sources.http.client import HttpClient
from capture_daemon.sources.http.connection import Interrupted
from capture_daemon.sources.http.multipart.part import Part
from capture_daemon.sources.http.response_reader import ResponseReader
from capture_daemon.sources.pacing import Pacer

DEFAULT_FPS = 2.0
"""Asking costs a camera more than streaming, and few make more pictures a second than some."""
_MOST_FAILURES = 3
"""Failures in a row that are the source's."""
_NOT_MODIFIED = 304


class Snapshots:
    """Polls one URL. Used by one thread."""

    def __init__(
        self, client: HttpClient, interrupt: Interrupt, *, fps: float, first: Part
    ) -> None:
        """`first` is the picture of the tick that begins now."""
        self._client = client
        self._pacer = Pacer(fps, interrupt)
        self._pacer.wait(0.0)
        self._newest = first
        self._missed = 0
        self.lost = 0
        """Ticks without a picture before the newest one."""

    def next(self, timeout_s: float, response_s: float) -> Part | None:
        """Wait for the next tick, and return its picture; None if it has none, or is not due.

        `response_s` is what the server may take for it. Raises SourceError: it fails for good.
        """
        if self._pacer.wait(timeout_s) is None:
            return None
        try:
            self._newest = self._get(response_s)
        except Interrupted:
            return None
        except OSError as error:
            self._failed(errors.unreachable(self._client.home, error))
            return None
        except SourceError as error:
            self._failed(error)
            return None
        self.lost, self._missed = self._missed, 0
        return self._newest

    def _failed(self, error: SourceError) -> None:
        self._client.close()
        self._missed += 1
        if error.permanent or error.code == "changed" or self._missed >= _MOST_FAILURES:
            raise error

    def _get(self, response_s: float) -> Part:
        """Read a response that is one picture to its end.

        Raises SourceGone: it is a stream now; SourceError: it has no picture; OSError.
        """
        deadline = time.monotonic() + self._client.connect_s + response_s
        response = self._client.get(_conditions(self._newest.headers), head_s=response_s)
        if response.head.status == _NOT_MODIFIED:
            self._client.keep(response)
            return self._newest
        reader = ResponseReader(self._client, response)
        while not reader.body.over and not reader.body.may_be_one:
            if len(reader.ready) > 1:
                raise SourceGone("changed", f"{response.target.where} sends a stream now")
            if time.monotonic() > deadline:
                raise TimeoutError
            reader.receive(deadline)
        if not reader.ready:
            raise errors.no_picture(response.target)
        self._client.keep(response)
        return reader.ready.popleft()


def _conditions(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that ask for a picture only if it is another one."""
    return {
        "If-None-Match": headers.get("etag", ""),
        "If-Modified-Since": headers.get("last-modified", ""),
    }
