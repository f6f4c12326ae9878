"""Reports and their mailbox; what others say stays one line."""

from __future__ import annotations

import select
import threading

from capture_daemon.capturing.reports import Cause, Mailbox, one_line


def test_a_message_cannot_start_a_line_of_its_own() -> None:
    cause = Cause("x", "no\nMAINPID=1\r\n\x1b[31mred", "do\x00this")
    assert cause.message == "no MAINPID=1 [31mred"
    assert cause.remedy == "do this"
    assert one_line("plain words, größer") == "plain words, größer"


def test_reports_come_out_in_order_and_wake_the_poll() -> None:
    mailbox = Mailbox()
    poller = select.poll()
    poller.register(mailbox.fileno(), select.POLLIN)
    assert poller.poll(0) == []
    threads = [threading.Thread(target=mailbox.post, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert poller.poll(0)
    assert mailbox.collect() == [0, 1, 2]
    assert poller.poll(0) == []
    assert mailbox.collect() == []
    mailbox.close()
