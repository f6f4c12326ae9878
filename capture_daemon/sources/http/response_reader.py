"""One response as it comes in: its head, if that is still to come, then its pictures."""

from __future__ import annotations

from collections import deque

from capture_daemon.sources.http import errors
from capture_daemon.sources.http.body import BodyParser, NoPictures
from capture_daemon.sources.http.client import HttpClient, Response
from capture_daemon.sources.http.multipart.part import Part
from capture_daemon.sources.http.response_parser import Head


class ResponseReader:
    """What exists of a stream between open and close."""

    def __init__(self, client: HttpClient, response: Response) -> None:
        self.client = client
        self.response = response
        """The response that it reads, after redirects."""
        self.body = BodyParser(Head(0, {}), None)
        """Of nothing until the head is there."""
        self.ready: deque[Part] = deque()
        """Pictures that nobody has taken yet, oldest first."""
        self._begun = False

    def receive(self, deadline: float, head_s: float = 0.0) -> None:
        """Take in what there is, waiting for it until `deadline` (time.monotonic(), seconds).

        `head_s` as in `HttpClient.resume`, where the head is still to come.

        Raises:
            TimeoutError, Interrupted: as the connection.
            ConnectionError: the stream is over, or is none.
            OSError: it broke.
            SourceError: it is no stream of pictures.
        """
        if self.body.over:
            raise ConnectionError("the server ended it")
        if not self._begun and self.response.parser.head is not None:
            self._begin()
            return
        for number, part in enumerate(self.ready):  # seldom any: they are taken first
            self.ready[number] = part._replace(body=bytes(part.body))
        data = self.client.connection.receive(deadline=deadline)
        if self._begun:
            self._take(self.response.parser.feed(data), end=not data)
            self.client.connection.want(self.body.missing)
        elif response := self.client.resume(self.response, data, head_s=head_s):
            self.response = response
            self._begin()

    def _begin(self) -> None:
        response = self.response
        if not 200 <= response.head.status < 300:
            raise errors.refused(response.target, response.head, sent=response.sent)
        self.body = BodyParser(response.head, response.parser.length_told)
        self._begun = True
        self._take(response.body)

    def _take(self, data: bytes | memoryview, *, end: bool = False) -> None:
        try:
            self.ready.extend(self.body.feed(data))
            if end or self.response.parser.ended:
                self.ready.extend(self.body.finish())
        except NoPictures as error:
            raise errors.no_pictures(self.response.target, str(error)) from error
