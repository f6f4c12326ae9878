"""What of the lines that clients provoke is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from web_workers.access.client_log_filter import (
    EVERY_NS,
    OF_ALL,
    OF_ONE,
    ClientLogFilter,
    caused_by_client,
)


class Log:
    """A logger whose lines are kept, at a time that is set by hand."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.client_log_filter = ClientLogFilter(lambda: self.now_ns)
        self.lines: list[str] = []
        self.logger = logging.getLogger("tests.floods")
        self._handler = logging.Handler()
        self._handler.emit = lambda record: self.lines.append(record.getMessage())  # type: ignore[method-assign]
        self._handler.addFilter(self.client_log_filter)
        self.logger.addHandler(self._handler)

    def complain(self, origin: str, what: str, text: str = "no request") -> None:
        with caused_by_client(origin, what):
            self.logger.warning("%s", text)

    def close(self) -> None:
        self.logger.removeHandler(self._handler)


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


def test_one_address_gets_a_few_lines_and_the_rest_is_counted(log: Log) -> None:
    for number in range(100):
        log.complain("192.0.2.1", "InvalidHeader", f"line {number}")
    assert log.lines == [f"line {number}" for number in range(OF_ONE)]
    assert log.client_log_filter.summary() == []
    log.now_ns = EVERY_NS
    assert log.client_log_filter.summary() == [
        f"{100 - OF_ONE} more lines about InvalidHeader were left out, on requests of 192.0.2.1"
    ]
    assert log.client_log_filter.summary() == []


def test_another_address_and_another_reason_are_told_as_well(log: Log) -> None:
    for _ in range(50):
        log.complain("192.0.2.1", "InvalidHeader")
    log.complain("192.0.2.2", "InvalidHeader")
    log.complain("192.0.2.1", "InvalidRequestLine")
    assert len(log.lines) == OF_ONE + 2


def test_many_addresses_have_one_limit_together(log: Log) -> None:
    for number in range(5000):
        log.complain(f"198.51.100.{number}", "InvalidHeader")
    assert len(log.lines) == OF_ALL
    log.now_ns = EVERY_NS
    assert len(log.client_log_filter.summary()) == 1


def test_every_line_is_counted_however_many_addresses_there_are(log: Log) -> None:
    for number in range(3000):
        for _ in range(OF_ONE + 2):
            log.complain(f"2001:db8:{number:x}::/64", "InvalidHeader")
    log.now_ns = EVERY_NS
    (line,) = log.client_log_filter.summary()
    assert int(line.split()[0]) == 3000 * (OF_ONE + 2) - OF_ALL


def test_after_a_while_lines_come_again(log: Log) -> None:
    for _ in range(2):
        for _ in range(OF_ONE):
            log.complain("192.0.2.1", "InvalidHeader")
        log.now_ns += EVERY_NS
    assert len(log.lines) == 2 * OF_ONE


def test_a_failing_request_is_told_by_its_exception(log: Log) -> None:
    for number in range(20):
        with caused_by_client("192.0.2.1"):
            try:
                raise ValueError(number)
            except ValueError:
                log.logger.exception("Exception on /%d", number)
    assert len(log.lines) == OF_ONE
    assert "ValueError" in log.client_log_filter.summary(ending=True)[0]


def test_what_nobody_provoked_is_always_written(log: Log) -> None:
    for _ in range(100):
        log.logger.warning("the disk is full")
    assert len(log.lines) == 100
