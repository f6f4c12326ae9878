"""Reports and their mailbox; what others say stays one line."""

from __future__ import annotations

import os
import select
import threading

import pytest
from framebus.contract.causes import Cause, one_line
from framebus.errors import UsageError

from capture_daemon.capturing.reports import Mailbox, cause_of
from capture_daemon.settings.spec import parse
from capture_daemon.sources.base import SourceError


def test_a_message_cannot_start_a_line_of_its_own() -> None:
    cause = Cause("bug", "no\nMAINPID=1\r\n\x1b[31mred", "do\x00this")
    assert cause.message == "no MAINPID=1 [31mred"
    assert cause.remedy == "do this"
    assert one_line("plain words, größer") == "plain words, größer"


def test_reports_come_out_in_order_and_wake_the_poll() -> None:
    mailbox, got = Mailbox(), list[int]()
    post = mailbox.slot(got.append)
    poller = select.poll()
    poller.register(mailbox.fileno(), select.POLLIN)
    assert poller.poll(0) == []
    threads = [threading.Thread(target=post, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert poller.poll(0)
    mailbox.deliver()
    assert got == [0, 1, 2]
    assert poller.poll(0) == []
    mailbox.deliver()
    assert got == [0, 1, 2]
    mailbox.close()


def test_a_thread_that_hung_writes_into_no_descriptor_of_another_after_the_end() -> None:
    mailbox = Mailbox()
    post = mailbox.slot(print)
    number = mailbox.fileno()
    mailbox.close()
    others = os.eventfd(0, os.EFD_NONBLOCK)
    assert others == number, "the number is another's now"
    post("what nobody waits for any more")
    with pytest.raises(BlockingIOError):
        os.eventfd_read(others)
    os.close(others)


@pytest.mark.parametrize(
    "error",
    [
        SourceError("refused", "http://me:hunter2@cam/?k=hunter2 and 'hunter2' are odd"),
        UsageError("hunter2"),
        ValueError("Port could not be cast to integer value as 'hunter2'"),
        KeyError("hunter2"),
    ],
)
def test_what_a_library_quotes_of_a_source_reaches_neither_cause_nor_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise error
    except type(error) as raised:
        cause, _ = cause_of(raised, parse("http://me:hunter2@cam/?k=hunter2"))
    assert "hunter2" not in f"{cause} {caplog.text}"
    assert cause.code in ("refused", "bad-source", "bug")
    assert ("test_reports.py" in caplog.text) == (cause.code == "bug")  # where it came from


def test_a_source_that_lacks_a_package_is_no_bug_and_is_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    missing = ModuleNotFoundError("No module named 'linuxpy'", name="linuxpy.video")
    cause, permanent = cause_of(missing, parse("auto"))
    assert (cause.code, permanent) == ("not-installed", True)
    assert "linuxpy" in cause.message
    assert "framebus doctor" in cause.remedy
    assert not caplog.records
