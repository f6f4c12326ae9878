"""One process that the benchmark started: pinned to its cores, in a group of its own, and ended.

It knows nothing of cameras or streams. What a program says on standard error is kept in a file,
and its last lines go into the error that tells of its death.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import framebus

from benchmarks.errors import BenchError

_LAUNCHER = Path(framebus.__file__).with_name("end_with_parent.py")
_TERM_S = 5.0
_LAST_LINES = 8


class Program:
    """A running program. `close` ends it and its whole group; twice is harmless."""

    def __init__(
        self,
        arguments: Sequence[str | os.PathLike[str]],
        *,
        cores: Collection[int],
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start `arguments` on processors `cores`; `environ` is added to this process's own."""
        self.name = Path(arguments[0]).name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
        self._said = b""
        self._process = subprocess.Popen(
            [
                # A daemon that is told, and not killed, unlinks its segment.
                *(sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid())),
                str(int(signal.SIGTERM)),
                *("taskset", "--cpu-list", ",".join(map(str, cores)), *arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **(environ or {})},
            cwd=cwd,
            process_group=0,
            bufsize=0,
        )

    @property
    def pid(self) -> int:
        """Process id, and the id of its group."""
        return self._process.pid

    def check(self) -> None:
        """Raise BenchError if it has ended."""
        if self._process.poll() is not None:
            raise BenchError(f"{self.name} ended by itself: {self._last_words()}")

    def tell(self, line: str) -> None:
        """Write one line to its standard input. Raises BenchError if it has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n".encode())
        except BrokenPipeError:
            raise BenchError(f"{self.name} ended by itself: {self._last_words()}") from None

    def listen(self, timeout_s: float) -> str:
        """Return the next line of its standard output.

        Raises:
            BenchError: it ended, or said nothing in time.
        """
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._said:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise BenchError(f"{self.name} said nothing for {timeout_s:.0f} s")
            piece = self._process.stdout.read(65536)
            if not piece:
                raise BenchError(f"{self.name} ended by itself: {self._last_words()}")
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        """Ask it to end, wait, then kill what is left of its group."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        self._process.stdin.close()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_TERM_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return " / ".join(lines[-_LAST_LINES:]) or f"exit status {self._process.poll()}"
