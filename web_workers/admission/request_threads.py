"""The threads that answer requests: as many as are wanted, or as many as the kernel gives.

Python starts one when a request finds none idle. Under a limit of processes or of memory (a
container's, TasksMax=) that may fail at any time, and where it fails is the worker's main loop: all
viewers would go down with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

log = logging.getLogger("gunicorn.error")


class RequestThreads(ThreadPoolExecutor):
    """A pool that goes on with the threads that it has when it cannot have another one."""

    def __init__(self, most: int) -> None:
        """Start the first of `most` threads; raises RuntimeError when not even that can be done."""
        super().__init__(most, thread_name_prefix="request")
        self._over = False
        self._told = False
        super().submit(int).result()

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a thread make the call. Raises RuntimeError after `shutdown`."""
        # A future of our own: the pool's is lost where the call is in its queue already, and only
        # then no thread can be started for it.
        made: Future[Any] = Future()

        def make() -> None:
            try:
                result = call(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  as every executor does
                made.set_exception(error)
            else:
                made.set_result(result)

        try:
            super().submit(make)
        except RuntimeError as error:
            if self._over:
                raise
            if not self._told:
                log.warning("requests have to do with the threads that there are: %s", error)
            self._told = True
        return made

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls."""
        self._over = True
        super().shutdown(wait, cancel_futures=cancel_futures)
