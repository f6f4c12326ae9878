"""One response as it comes in: its head, if that is still to come, then its pictures."""

from __future__ import annotations

import time
from collections import deque

from capture_daemon.sources.base import SourceGone
from capture_daemon.sources.http import errors
from capture_daemon.sources.http.body import BodyParser, NoPictures
from capture_daemon.sources.http.client import HttpClient, Response
from capture_daemon.sources.http.multipart.parser import Part


class ResponseReader:
    """What exists of a stream between open and close."""

    def __init__(self, client: HttpClient, response: Response) -> None:
        """Raises SourceError: the response is no stream."""
        self._client = client
        self._response = response
        self._body: BodyParser | None = None
        self.ready: deque[Part] = deque()
        """Pictures that nobody has taken yet, oldest first."""
        self.over = False
        """The body is complete."""
        if response.parser.head is not None:
            self._begin(response)

    @property
    def response(self) -> Response:
        """The response that it reads, after redirects."""
        return self._response

    @property
    def decided(self) -> bool:
        """Whether it is known what it is: at once for what says so, by its first bytes else."""
        body = self._body
        if body is None:
            return False
        if body.is_multipart or self.over:
            return True
        return body.decided and (not body.is_image or body.pictures > 0)

    @property
    def may_be_one(self) -> bool:
        """Whether it calls itself one picture and has given one."""
        body = self._body
        one = body is not None and body.is_image and body.pictures == 1
        return one and body is not None and not body.is_multipart

    @property
    def was_one(self) -> bool:
        """Whether it was one picture, and nothing else."""
        return self.over and self._body is not None and self._body.pictures == 1

    @property
    def others(self) -> str:
        """What came that is no picture, for people; empty if nothing did."""
        return "" if self._body is None else self._body.others

    def receive(self, deadline: float, head_s: float) -> None:
        """Take in what there is, waiting for it until `deadline` (time.monotonic(), seconds).

        Raises:
            TimeoutError, Interrupted: as the connection.
            ConnectionError: the stream is over.
            OSError, WireError, MultipartError: it broke.
            SourceError: it is no stream of pictures.
        """
        if self.over:
            raise ConnectionError("the server ended it")
        data = self._response.connection.receive(deadline=deadline)
        if self._body is None:
            self._take_head(data, head_s)
        elif data:
            self._feed(self._response.parser.feed(data))
        else:
            self._finish()

    def done(self) -> None:
        """Be done with it in good order: its connection may be used again."""
        self._client.keep(self._response)

    def close(self) -> None:
        """Close its connection."""
        self._response.connection.close()

    # -- inside ----------------------------------------------------------------------------

    def _take_head(self, data: bytes, head_s: float) -> None:
        if not data:
            raise ConnectionError("the server closed the connection without an answer")
        response = self._client.resume(self._response, data, head_s=head_s)
        if response is not None:
            self._response = response
            self._begin(response)

    def _begin(self, response: Response) -> None:
        if not 200 <= response.head.status < 300:
            raise errors.refused(response.target, response.head, sent=response.sent)
        self._body = BodyParser(response.head, response.parser.length_told)
        self._feed(response.body)

    def _feed(self, body: bytes) -> None:
        if self._body is None:
            return
        try:
            self.ready.extend(self._body.feed(body))
        except NoPictures as error:
            raise errors.no_pictures(self._response.target, error.kind) from error
        if self._response.parser.ended:
            self._finish()

    def _finish(self) -> None:
        if self._body is None or self.over:
            return
        self.over = True
        try:
            self.ready.extend(self._body.finish())
        except NoPictures as error:
            raise errors.no_pictures(self._response.target, error.kind) from error


def whole_picture(reader: ResponseReader, deadline: float) -> Part:
    """Read a response that is one picture to its end, and be done with it.

    Raises SourceGone: it is a stream now; SourceError: it has no picture; and as
    `ResponseReader.receive`.
    """
    target = reader.response.target
    while not reader.over and not reader.may_be_one:
        if len(reader.ready) > 1:
            raise SourceGone("changed", f"{target.where} sends a stream now")
        if time.monotonic() > deadline:
            raise TimeoutError
        reader.receive(deadline, max(0.0, deadline - time.monotonic()))
    if not reader.ready:
        raise errors.no_picture(target)
    reader.done()
    return reader.ready.popleft()
