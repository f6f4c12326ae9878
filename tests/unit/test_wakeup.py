"""A wakeup wakes until it is cleared, and after its end writes into nobody's descriptor."""

from __future__ import annotations

import os
import select

import pytest
from framebus.wakeup import Wakeup


def test_it_wakes_a_poll_until_it_is_cleared() -> None:
    wakeup = Wakeup()
    poller = select.poll()
    poller.register(wakeup, select.POLLIN)
    assert not wakeup.clear()
    wakeup.set()
    wakeup.set()
    assert poller.poll(0)
    assert wakeup.clear()
    assert poller.poll(0) == []
    wakeup.close()


def test_a_thread_that_hung_writes_into_no_descriptor_of_another_after_the_end() -> None:
    wakeup = Wakeup()
    number = wakeup.fileno()
    wakeup.close()
    others = os.eventfd(0, os.EFD_NONBLOCK)
    assert others == number, "the number is another's now"
    wakeup.set()
    wakeup.close()
    with pytest.raises(BlockingIOError):
        os.eventfd_read(others)
    os.close(others)
