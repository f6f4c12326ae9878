"""The form of a log's lines."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

from framebus import log_lines, logs

AT_S = 1_796_000_000.0625


def record(message: str) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.WARNING, "x.py", 1, message, (), None)
    made.created = AT_S
    return made


def test_a_line_has_local_time_to_the_millisecond_level_and_speaker() -> None:
    line = logs.Formatter("front", timed=True).format(record("no 100 %"))
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.062 WARNING front: no 100 %", line)


def test_a_line_for_the_journal_has_no_time_of_its_own() -> None:
    assert logs.Formatter("front", timed=False).format(record("x")) == "WARNING front: x"


def test_the_web_tiers_lines_name_the_process() -> None:
    line = logs.Formatter("web[%(process)d]", timed=False).format(record("x"))
    assert line == f"WARNING web[{os.getpid()}]: x"


def test_only_the_descriptor_that_the_variable_means_leads_to_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as one, (tmp_path / "b").open("w") as other:
        status = os.fstat(one.fileno())
        environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert log_lines.to_journal(one.fileno(), environ)
        assert not log_lines.to_journal(other.fileno(), environ)
        assert not log_lines.to_journal(one.fileno(), {})
        assert not log_lines.to_journal(one.fileno(), {"JOURNAL_STREAM": "nonsense"})
    assert not log_lines.to_journal(-1, environ)


def test_a_log_has_one_line_of_a_message_and_a_harmless_traceback() -> None:
    formatter = logs.Formatter("front", timed=False)
    try:
        raise ValueError("\x1b[31m\x9b")
    except ValueError:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "of %s", ("a\nb\x1b[2J",), sys.exc_info()
        )
    text = formatter.format(record)
    assert text.splitlines()[0] == "ERROR front: of a\\nb\\x1b[2J"
    assert len(text.splitlines()) > 2
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_the_daemons_log_is_written_with_it() -> None:
    code = (
        "import logging; from framebus import logs; logs.to_stderr('front', 'info'); "
        "logging.getLogger('x').info('%s', '\\x1b[2J\\nERROR front: made up')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr.endswith(" INFO front: \\x1b[2J\\nERROR front: made up\n")
    assert done.stderr.count("\n") == 1
