"""The journal on disk: bounded, and unharmed by cut lines, garbage, a full disk and neighbours."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capture_daemon.diagnosis.journal import Journal, parse
from tests.helpers.full_disk import file_size_limit
from tests.samples.planted_files import put


def incident(number: int, **more: object) -> dict[str, object]:
    return {"id": f"{number:08d}", "began_utc_ns": number, **more}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "camera.incidents.jsonl", kept=10, bytes_max=4000)


def ids(journal: Journal) -> list[int]:
    return [int(str(each["id"])) for each in journal.read()]


def test_nothing_is_made_before_the_first_incident(journal: Journal) -> None:
    assert journal.read() == []
    assert not journal.path.parent.exists()


def test_the_newest_line_of_an_incident_counts(journal: Journal) -> None:
    journal.append(incident(1))
    journal.append(incident(2))
    journal.append(incident(1, cured_by="reopen"))
    assert ids(journal) == [1, 2]
    assert journal.read()[0]["cured_by"] == "reopen"


def test_others_may_not_read_it(journal: Journal) -> None:
    journal.append(incident(1))
    assert journal.path.stat().st_mode & 0o007 == 0


def test_it_stays_bounded_and_keeps_the_newest(journal: Journal) -> None:
    for number in range(500):
        journal.append(incident(number, text="x" * 50))
        assert journal.path.stat().st_size <= 4000
    found = ids(journal)
    assert found[-1] == 499
    assert found == sorted(found)
    assert 5 < len(found) <= 10
    assert os.listdir(journal.path.parent) == [journal.path.name]


def test_an_incident_that_is_larger_than_the_bound_is_kept_alone(journal: Journal) -> None:
    journal.append(incident(1))
    journal.append(incident(2, text="x" * 5000))
    assert ids(journal) == [2]


def test_a_line_that_sigkill_cut_off_harms_neither_its_neighbours_nor_the_next(
    journal: Journal,
) -> None:
    journal.append(incident(1))
    with journal.path.open("ab") as file:
        file.write(b'{"id": "00000002", "began_utc')
    assert ids(journal) == [1]
    journal.append(incident(3))
    assert ids(journal) == [1, 3]


def test_a_file_that_was_not_written_here_is_read_at_its_end_only(journal: Journal) -> None:
    journal.append(incident(1))
    with journal.path.open("ab") as file:
        file.truncate(1 << 30)
    assert journal.read() == []
    journal.append(incident(2))
    assert ids(journal) == [2]
    assert journal.path.stat().st_size < 4000


@settings(max_examples=200)
@given(st.lists(st.binary() | st.text().map(str.encode)).map(b"\n".join))
@example(b"[" * 200_000)
@example(b'{"id": 1, "began_utc_ns": 1}\n{"id": "x"}\n[]\nnull\n{"id": "x", "began_utc_ns": "y"}')
@example(b'{"id": "\\ud800", "began_utc_ns": 1}')
def test_whatever_stands_in_the_file_only_incidents_come_out(text: bytes) -> None:
    for each in parse(text):
        assert isinstance(each["id"], str)
        assert isinstance(each["began_utc_ns"], int)


def test_a_full_disk_is_an_error_that_leaves_the_file_as_it_was(journal: Journal) -> None:
    journal.append(incident(1))
    whole = journal.path.read_bytes()
    with file_size_limit(len(whole) + 20), pytest.raises(OSError, match="File too large"):
        journal.append(incident(2, text="x" * 500))
    assert journal.path.read_bytes() == whole
    journal.append(incident(3))
    assert ids(journal) == [1, 3]


def test_a_disk_that_is_full_when_the_file_is_cut_leaves_the_old_file(journal: Journal) -> None:
    for number in range(30):
        journal.append(incident(number, text="x" * 100))
    whole = journal.path.read_bytes()
    with file_size_limit(100), pytest.raises(OSError, match="File too large"):
        journal.append(incident(99, text="x" * 3000))
    assert journal.path.read_bytes() == whole
    assert os.listdir(journal.path.parent) == [journal.path.name]


def test_a_link_that_somebody_planted_is_not_followed(journal: Journal, tmp_path: Path) -> None:
    journal.path.parent.mkdir()
    journal.path.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"):
        journal.append(incident(1))
    assert not (tmp_path / "target").exists()


def test_two_daemons_that_share_a_file_lose_nothing(journal: Journal) -> None:
    other = Journal(journal.path, kept=1000, bytes_max=4000)
    for number in range(20):
        (journal, other)[number % 2].append(incident(number))
    assert ids(other) == list(range(20))


def test_a_time_of_day_that_is_set_back_makes_no_new_incident_an_old_one(journal: Journal) -> None:
    for number in [*range(50, 60), 7, 3]:
        journal.append(incident(number))
    assert ids(journal) == [52, 53, 54, 55, 56, 57, 58, 59, 7, 3]


def test_a_reader_that_keeps_the_file_locked_is_an_error_and_no_wait_for_ever(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    journal.append(incident(1))
    with journal.path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(OSError, match="locked"):
            journal.append(incident(2))
        assert ids(journal) == [1]
    journal.append(incident(3))
    assert ids(journal) == [1, 3]


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "link"])
def test_what_is_no_file_in_its_place_is_an_error_at_once(journal: Journal, kind: str) -> None:
    journal.path.parent.mkdir()
    put(kind, journal.path)
    for use in (journal.read, lambda: journal.append(incident(1))):
        with pytest.raises(OSError, match=r"."):
            use()
