"""Requests are answered by the threads that there are, when no more can be started."""

from __future__ import annotations

import threading

import pytest

from web_workers.admission.request_threads import RequestThreads

LIMIT_S = 60.0


def refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def fail() -> None:
    raise ValueError("as a view may")


def test_calls_wait_for_a_thread_when_no_more_can_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def occupy() -> bool:
        busy.set()
        return go_on.wait(LIMIT_S)

    with RequestThreads(4) as threads:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        first = threads.submit(occupy)
        assert busy.wait(LIMIT_S)
        others = [threads.submit(pow, 2, power) for power in range(3)]
        assert not any(other.done() for other in others)
        go_on.set()
        assert first.result(LIMIT_S)
        assert [other.result(LIMIT_S) for other in others] == [1, 2, 4]
    assert caplog.text.count("can't start new thread") == 1


def test_more_threads_are_started_as_soon_as_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    with RequestThreads(2) as threads:
        with monkeypatch.context() as shortage:
            shortage.setattr(threading.Thread, "start", refuse)
            assert threads.submit(pow, 2, 3).result(LIMIT_S) == 8
        calls = [threads.submit(both.wait, LIMIT_S) for _ in range(2)]
        assert sorted(call.result(LIMIT_S) for call in calls) == [0, 1]


def test_what_a_call_raises_is_told() -> None:
    with RequestThreads(1) as threads, pytest.raises(ValueError, match="as a view may"):
        threads.submit(fail).result(LIMIT_S)


def test_without_even_one_thread_there_is_no_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start"):
        RequestThreads(4)


def test_after_its_end_it_takes_no_call() -> None:
    threads = RequestThreads(1)
    threads.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        threads.submit(pow, 2, 2)
