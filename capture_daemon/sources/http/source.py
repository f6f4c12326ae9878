"""The `http` source: another server's Motion JPEG stream, or an address that gives one picture.

mjpg-streamer, ustreamer, an IP camera, ffmpeg, VLC or another framebus. Pictures are passed on as
they come. The URL's name and password are sent to its own server only, when that asks for them, and
are never shown. A camera may be slow: each try waits longer for it than the one before.
"""

from __future__ import annotations

import time
from contextlib import suppress

from capture_daemon.sources.base import Captured, Granted, Interrupt, SourceError, SourceGone
from capture_daemon.sources.http import errors
from capture_daemon.sources.http.client import HttpClient, Response
from capture_daemon.sources.http.connection import Interrupted
from capture_daemon.sources.http.frames import FrameStamper, is_of_framebus, why_no_frame
from capture_daemon.sources.http.multipart.part import Part
from capture_daemon.sources.http.response_reader import ResponseReader
from capture_daemon.sources.http.snapshots import DEFAULT_FPS, Snapshots
from capture_daemon.sources.http.target import Target
from capture_daemon.sources.http.timeouts import AdaptiveTimeout, LoginBackoff
from capture_daemon.sources.pacing import checked_fps

CONNECT_S = 5.0
"""To connect, TLS included; and to answer, at the first try."""
_OPEN_MOST_S = 15.0
"""How long `open` itself waits for a response: the rest of the timeout is `read`'s, which returns
meanwhile, as a thread that is to be told from a hung one must."""
_JITTER_S = 1.5  # a lost TCP segment and its retransmissions, a busy server
_AWAY_S = 1.0
"""After so long without a picture of its own, a server that had some is believed that its camera is
away."""
_EARLY = 0.9
"""Of the timeout of a silent stream: the cause is told before that ends."""
_USTREAMER_COOKIE = "stream_client="
_EXTRA_HEADERS = "extra_headers=1"


class HttpSource:
    """Reads one URL."""

    def __init__(
        self,
        url: str,
        interrupt: Interrupt,
        *,
        fps: float | None = None,
        connect_s: float = CONNECT_S,
    ) -> None:
        """`fps`: how often to ask for single pictures, and what a slow stream is known to give."""
        self._url = url
        self._interrupt = interrupt
        self._fps = fps
        self._polled_fps = DEFAULT_FPS
        self._connect_s = connect_s
        self._timeout = AdaptiveTimeout(connect_s)
        self._client: HttpClient | None = None
        self._reader: ResponseReader | None = None
        self._snapshots: Snapshots | None = None
        self._frames = FrameStamper()
        self._newest = Part({}, b"")
        self._stand_in: str | None = None
        """Why the newest part was no frame of the server's camera; None where it was one."""
        self._newest_s = 0.0
        """When the newest picture came, or the source was opened: time.monotonic()."""
        self._login = LoginBackoff()
        self._refusal: SourceError | None = None
        """What was wrong with what the server sent; it may end with the connection."""

    def open(self) -> Granted:
        """Connect, follow redirects, and read the response until it is known to be pictures.

        Raises:
            SourceUnusable: it wants another authorisation, or its certificate is not trusted.
            SourceError: it cannot be reached, or what it serves is no picture.
            SourceGone: interrupted.
        """
        self.close()
        self._polled_fps = checked_fps(self._fps, DEFAULT_FPS)
        home = Target.parse(self._url)
        client = self._client
        if client is None:
            client = self._client = HttpClient(home, self._interrupt, self._connect_s)
        client.home = home
        self._login.check(time.monotonic())
        self._timeout.begin(time.monotonic())
        self._frames = FrameStamper()
        try:
            reader = self._reader = ResponseReader(client, self._ask(client))
            self._decide(reader)
        except SourceError as error:
            self.close()
            if home.credentials is not None:
                self._login.failed(error, time.monotonic())
            raise self._remembering(error) from error
        except BaseException:
            self.close()
            raise
        self._newest_s, self._stand_in = time.monotonic(), None
        return Granted(
            "MJPG",
            0,
            0,
            self._granted_fps(reader),
            device=reader.response.target.shown,
            jitter_s=_JITTER_S,
            first_frame_timeout_s=self._timeout.picture_s,
        )

    def read(self, timeout_s: float) -> Captured | None:
        """Wait for the next picture. Raises SourceError: the stream ended or cannot be followed."""
        if self._reader is None and self._snapshots is None:
            raise SourceGone("not-open", "the stream is not open", remedy="open it first")
        deadline = time.monotonic() + timeout_s
        while (part := self._next(deadline)) is not None:
            if (why := why_no_frame(part.headers)) is None:
                return self._captured(part)
            self._newest, self._stand_in = part, why
            if time.monotonic() >= deadline:
                break
        if self._stand_in is not None:
            self._see_stand_in(self._stand_in)
        elif not self._timeout.pictures:
            self._see_nothing()
        return None

    def close(self) -> None:
        """Close the connection."""
        self._reader = self._snapshots = None
        self._timeout.end(time.monotonic())
        if self._client is not None:
            self._client.close()

    # -- opening ---------------------------------------------------------------------------

    def _ask(self, client: HttpClient) -> Response:
        response_s = self._timeout.response_s
        most_s = min(_OPEN_MOST_S, 4 * self._connect_s)
        head_s, patient = min(response_s, most_s), response_s > most_s
        response = client.get(head_s=head_s, patient=patient)
        if not _is_plain_ustreamer(response):
            return response
        client.home = response.target.asking(_EXTRA_HEADERS)
        return client.get(head_s=head_s, patient=patient)

    def _decide(self, reader: ResponseReader) -> None:
        """Read until it is known what is sent; a server that is slow to send it is no failure."""
        deadline = time.monotonic() + self._connect_s
        try:
            while not reader.body.decided and time.monotonic() <= deadline:
                reader.receive(deadline, self._timeout.response_s)
        except TimeoutError:
            return
        except OSError as error:
            raise errors.unreachable(reader.response.target, error) from error

    def _remembering(self, error: SourceError) -> SourceError:
        """Return what to say of `error`: some servers end with the connection that was refused."""
        first = self._refusal
        if error.code in ("not-jpeg", "not-multipart"):
            self._refusal = error
        elif error.code == "refused" and first is not None:
            said = f"{first.message}; nothing listens there since the connection was closed"
            return SourceError(first.code, said, remedy=first.remedy)
        return error

    def _granted_fps(self, reader: ResponseReader) -> float:
        """Return the rate that can be counted on: a server is not told how fast to send."""
        if reader.body.may_be_one or reader.body.was_one:
            return self._polled_fps
        return self._fps if self._fps is not None and self._fps < 1 else 0.0

    # -- reading ---------------------------------------------------------------------------

    def _next(self, deadline: float) -> Part | None:
        """Return what came next, a picture or what stands for one; None: nothing until then."""
        while (reader := self._reader) is not None:
            if reader.ready:
                return reader.ready.popleft()
            again_s = self._newest_s + 1 / self._polled_fps
            body = reader.body
            if body.was_one or (body.may_be_one and time.monotonic() >= again_s):
                self._poll(reader)
                break
            try:
                with suppress(TimeoutError):
                    until = min(deadline, again_s) if body.may_be_one else deadline
                    reader.receive(until, self._timeout.response_s)
            except Interrupted:
                return None
            except OSError as error:
                raise _broken(reader, error) from error
            except SourceError as error:
                raise self._remembering(error) from error
            if not reader.ready and not reader.body.over and time.monotonic() >= deadline:
                return None  # or it never stops sending what is no picture
        return self._next_snapshot(deadline)

    def _poll(self, reader: ResponseReader) -> None:
        """It is one picture: ask for it again and again from now on."""
        reader.client.keep(reader.response)
        self._reader = None
        self._snapshots = Snapshots(
            reader.client, self._interrupt, fps=self._polled_fps, first=self._newest
        )

    def _next_snapshot(self, deadline: float) -> Part | None:
        snapshots = self._snapshots
        if snapshots is None:
            return None
        left_s = max(0.0, deadline - time.monotonic())
        part = snapshots.next(left_s, min(self._timeout.response_s, _OPEN_MOST_S))
        if part is not None:
            self._frames.lost(snapshots.lost)
        return part

    def _captured(self, part: Part) -> Captured:
        self._newest, self._newest_s, self._stand_in = part, time.monotonic(), None
        self._timeout.saw(self._newest_s)
        self._login.worked()
        self._refusal = None
        return self._frames.captured(part)

    def _see_nothing(self) -> None:
        """Raise what is known of why nothing comes, before it is called a silence."""
        reader = self._reader
        if reader is None or time.monotonic() - self._newest_s < _EARLY * self._timeout.picture_s:
            return
        if self._refusal is not None:
            raise self._refusal.again()
        if reader.response.parser.head is None:
            raise errors.unreachable(reader.response.target, TimeoutError())
        if reader.body.others:
            raise self._remembering(errors.no_pictures(reader.response.target, reader.body.others))

    def _see_stand_in(self, why: str) -> None:
        """Raise once the server has shown something else in place of its camera for long enough.

        The connection is kept for as long as any other silence is waited out: when the camera is
        back, its pictures come over it at once. Some show theirs once a second, or only once, so
        it is not their coming that is waited for.
        """
        limit_s = _AWAY_S if self._timeout.proved else _EARLY * self._timeout.picture_s
        waited = time.monotonic() - self._newest_s >= limit_s
        if waited and self._client is not None:
            framebus = is_of_framebus(self._newest.headers)
            raise errors.away(self._client.home, why, framebus=framebus)


def _broken(reader: ResponseReader, error: Exception) -> SourceGone:
    return SourceGone(
        "stream-broken",
        f"the stream of {reader.response.target.where} broke off: {error}",
        remedy="it is opened again by itself; if it happens often, look into that server's log",
    )


def _is_plain_ustreamer(response: Response) -> bool:
    """Tell whether this is ustreamer's stream, which says only when asked whether it has a signal.

    It is known by its cookie: to add a key to another server's address might break that.
    """
    head = response.parser.head
    cookie = head.headers.get("set-cookie", "") if head is not None else ""
    return cookie.startswith(_USTREAMER_COOKIE) and "extra_headers" not in response.target.path
