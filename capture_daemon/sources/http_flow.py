"""One answer of a server as it comes in: its head, if that is still to come, then its pictures."""

from __future__ import annotations

import time
from collections import deque

from capture_daemon.sources import http_errors
from capture_daemon.sources.base import SourceGone
from capture_daemon.sources.http_body import BodyParser, NoPictures
from capture_daemon.sources.http_client import Answer, HttpClient
from capture_daemon.sources.multipart import Part


class Flow:
    """What exists of a stream between open and close."""

    def __init__(self, client: HttpClient, answer: Answer) -> None:
        """Raises SourceError: the answer is no stream."""
        self._client = client
        self._answer = answer
        self._body: BodyParser | None = None
        self.ready: deque[Part] = deque()
        """Pictures that nobody has taken yet, oldest first."""
        self.over = False
        """The body is complete."""
        if answer.response.head is not None:
            self._begin(answer)

    @property
    def answer(self) -> Answer:
        """The answer that it reads, after redirects."""
        return self._answer

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
        data = self._answer.connection.receive(deadline=deadline)
        if self._body is None:
            self._take_head(data, head_s)
        elif data:
            self._feed(self._answer.response.feed(data))
        else:
            self._finish()

    def done(self) -> None:
        """Be done with it in good order: its connection may be used again."""
        self._client.keep(self._answer)

    def close(self) -> None:
        """Close its connection."""
        self._answer.connection.close()

    # -- inside ----------------------------------------------------------------------------

    def _take_head(self, data: bytes, head_s: float) -> None:
        if not data:
            raise ConnectionError("the server closed the connection without an answer")
        answer = self._client.go_on(self._answer, data, head_s=head_s)
        if answer is not None:
            self._answer = answer
            self._begin(answer)

    def _begin(self, answer: Answer) -> None:
        if not 200 <= answer.head.status < 300:
            raise http_errors.refused(answer.target, answer.head, sent=answer.sent)
        self._body = BodyParser(answer.head, answer.response.length_told)
        self._feed(answer.body)

    def _feed(self, body: bytes) -> None:
        if self._body is None:
            return
        try:
            self.ready.extend(self._body.feed(body))
        except NoPictures as error:
            raise http_errors.no_pictures(self._answer.target, error.kind) from error
        if self._answer.response.ended:
            self._finish()

    def _finish(self) -> None:
        if self._body is None or self.over:
            return
        self.over = True
        try:
            self.ready.extend(self._body.finish())
        except NoPictures as error:
            raise http_errors.no_pictures(self._answer.target, error.kind) from error


def whole_picture(flow: Flow, deadline: float) -> Part:
    """Read an answer that is one picture to its end, and be done with it.

    Raises SourceGone: it is a stream now; SourceError: it has no picture; and as `Flow.receive`.
    """
    target = flow.answer.target
    while not flow.over and not flow.may_be_one:
        if len(flow.ready) > 1:
            raise SourceGone("changed", f"{target.where} sends a stream now")
        if time.monotonic() > deadline:
            raise TimeoutError
        flow.receive(deadline, max(0.0, deadline - time.monotonic()))
    if not flow.ready:
        raise http_errors.no_picture(target)
    flow.done()
    return flow.ready.popleft()
