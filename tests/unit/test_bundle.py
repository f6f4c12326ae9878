"""The file for a bug report: complete, for its owner alone, and without any secret."""

from __future__ import annotations

import json
import random
import tarfile
from pathlib import Path

import pytest
from framebus.errors import UsageError
from framebus.invocation.output import OutputFailed
from framebus.names import web_token
from framebus.secret_files import read_or_make_secret

from capture_daemon.diagnosis import bundle, doctor
from capture_daemon.diagnosis.records import Line
from tests.fakes.machine import UTC, Bench, a_holder
from tests.helpers.full_disk import file_size_limit

SECRET = "hunter2"
TOKEN = 'a "quoted" token'
ENVIRON = {"API_TOKEN": TOKEN, "CAMERA_PASSWORD": SECRET, "HOME": "/home/ada", "A_KEY": "x"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "root")
    bench.plug()
    bench.holders = (a_holder(command=f"viewer --pass {SECRET}"),)
    bench.lines = (Line(UTC, f"usb 1-1: {TOKEN} http://ada:{SECRET}x@host/", "it left the bus"),)
    bench.serve(
        state="backoff",
        source={"spec": f"http://ada:{SECRET}y@camera/?pwd={SECRET}", "kind": "http"},
        cause={"message": f"said {json.dumps(TOKEN)}", "remedy": ""},
    )
    bench.replies["incidents"] = {
        "incidents": [{"id": "1", "began_utc_ns": UTC, "away_s": 1.0, "note": f"token={TOKEN}"}]
    }
    return bench


def files_of(bench: Bench) -> dict[str, str]:
    machine = bench.machine()
    return bundle.collect(machine, doctor.examine(machine), ENVIRON)


def test_it_holds_what_a_bug_report_needs(bench: Bench) -> None:
    files = files_of(bench)
    assert set(files) == {
        *("README.txt", "findings.txt", "findings.json", "versions.json", "holders.json"),
        *("kernel.txt", "camera-video0.json", "status-camera.json", "formats-camera.json"),
        "incidents-camera.json",
    }
    facts = json.loads(files["camera-video0.json"])
    assert (facts["usb"]["idVendor"], facts["usb"]["speed"]) == ("046d", "480")
    assert facts["serial"] == "S0"
    assert "it left the bus" in files["kernel.txt"]
    assert json.loads(files["versions.json"])["linuxpy"] == "1.0"


def test_no_planted_secret_is_in_it_and_it_is_still_json(bench: Bench) -> None:
    files = files_of(bench)
    for name, text in files.items():
        assert SECRET not in text, name
        assert "quoted" not in text, name
        if name.endswith(".json"):
            json.loads(text)
    assert "***" in files["status-camera.json"]
    assert "/home/ada" not in "".join(files.values())


def test_the_web_tiers_token_is_not_in_it_wherever_it_was_written(bench: Bench) -> None:
    state = bench.root / "state"
    token = read_or_make_secret(web_token(state))
    bench.serve(state="backoff", source={"spec": f"http://cam/{token}", "kind": "http"})
    machine = bench.machine()
    environ = {"FRAMEBUS_STATE_DIR": str(state)}
    files = bundle.collect(machine, doctor.examine(machine), environ)
    assert '"spec": "http://cam"' in files["status-camera.json"]
    assert token not in "".join(files.values())


def test_a_short_value_is_no_secret_that_would_blank_out_everything() -> None:
    assert bundle.secrets_of({"SSH_KEY": "x", "MY_TOKEN": "abcd"}) == ["abcd"]


def test_it_is_one_file_for_its_owner_alone(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "report.tar.gz"
    bundle.write(path, files_of(bench))
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as tar:
        assert "framebus/README.txt" in tar.getnames()
        assert all(name.startswith("framebus/") for name in tar.getnames())


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("precious")
    with pytest.raises(UsageError, match="is there already"):
        bundle.write(path, {"a": "b"})
    assert path.read_text() == "precious"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="No such file or directory"):
        bundle.write(tmp_path / "none" / "report.tar.gz", {"a": "b"})


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "report.tar.gz"
    with file_size_limit(100), pytest.raises(OutputFailed, match="File too large"):
        bundle.write(path, {"a": random.randbytes(5000).hex()})
    assert not path.exists()
