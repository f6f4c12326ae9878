"""The doctor's checks of libraries, drivers, shared memory, and of framebus itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from framebus.errors import CommandRefused, ControlTimeout, NoPermission
from framebus.names import CameraNames, incident_journal

from capture_daemon.diagnosis import check_service, check_system
from capture_daemon.diagnosis.finding import Level
from capture_daemon.diagnosis.journal import Journal
from capture_daemon.diagnosis.programs import Ran
from tests.fakes.machine import UTC, Bench, only_wrong, wrongs
from tests.samples.planted_files import KINDS, put


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_missing_library_is_named_with_the_command_that_installs_it(bench: Bench) -> None:
    del bench.versions["pyudev"], bench.versions["flask"]
    found = only_wrong(check_system.libraries(bench.machine()))
    assert found.message == "missing Python packages: flask, pyudev"
    assert found.remedy == f"{sys.executable} -m pip install flask pyudev"


def test_what_framebus_runs_without_is_a_note_that_says_what_is_lost(bench: Bench) -> None:
    for name in ("Pillow", "numpy", "simplejpeg"):
        del bench.versions[name]
    libraries, *notes = check_system.libraries(bench.machine())
    assert libraries.level is Level.GOOD
    assert "Pillow" not in libraries.message
    assert [(found.level, found.message.partition(":")[0]) for found in notes] == [
        (Level.NOTE, "Pillow is not installed"),
        (Level.NOTE, "numpy and simplejpeg are not installed"),
    ]
    assert "test pattern" in notes[0].message
    assert notes[1].remedy == f"{sys.executable} -m pip install numpy simplejpeg"


def test_a_library_in_c_that_was_not_built_is_noted_with_what_builds_it(bench: Bench) -> None:
    assert [found.level for found in check_system.fast_path(bench.machine())] == [Level.GOOD]
    bench.slow = "it was not built"
    (found,) = check_system.fast_path(bench.machine())
    assert found.level is Level.NOTE
    assert "it was not built" in found.message
    assert "gcc" in found.remedy


def test_a_driver_that_is_shipped_but_not_loaded_is_loaded_with_modprobe(bench: Bench) -> None:
    os.rmdir(bench.root / "sys/module/uvcvideo")
    (bench.root / "modules").mkdir()
    dep = bench.root / "modules/modules.dep"
    dep.write_text("kernel/drivers/media/usb/uvc/uvcvideo.ko.xz: kernel/…\n")
    found = only_wrong(check_system.drivers(bench.machine()))
    assert found.remedy == "sudo modprobe uvcvideo"


def test_a_kernel_without_v4l2_is_said_to_be_one(bench: Bench) -> None:
    os.rmdir(bench.root / "sys/module/uvcvideo")
    (bench.root / "proc/devices").write_text("Character devices:\n  1 mem\n")
    found = only_wrong(check_system.drivers(bench.machine()))
    assert "no V4L2" in found.message
    assert "--source test" in found.remedy


def test_no_driver_is_missed_where_all_daemons_serve_something_else(bench: Bench) -> None:
    os.rmdir(bench.root / "sys/module/uvcvideo")
    bench.serve(state="streaming")
    assert not wrongs(check_system.drivers(bench.machine()))


def test_shared_memory_that_is_not_there_is_wrong(bench: Bench) -> None:
    machine = bench.machine(shared_memory=bench.root / "none")
    assert "mount -t tmpfs" in only_wrong(check_system.shared_memory(machine)).remedy


def test_a_full_shared_memory_is_wrong_before_the_ring_is_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(bench.root)
    full = os.statvfs_result((*real[:3], 100, 100, *real[5:10]))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    assert "no room" in only_wrong(check_system.shared_memory(bench.machine())).message


def test_a_shared_memory_that_has_room_for_a_smaller_ring_only_is_a_note(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(bench.root)
    small = os.statvfs_result((4096, 4096, 4000, 3000, 3000, *real[5:10]))
    monkeypatch.setattr(os, "statvfs", lambda path: small)
    (found,) = check_system.shared_memory(bench.machine())
    assert found.level is Level.NOTE
    assert "--shm-size" in found.remedy


def test_what_a_killed_daemon_left_is_named_and_harmless(bench: Bench) -> None:
    names = CameraNames(bench.runtime, "front")
    ring = bench.root / "shm" / names.new_segment()
    for file in (names.lock, names.control_socket, names.ring_file, ring):
        file.touch()
    (finding,) = check_service.directory(bench.machine())
    assert finding.level is Level.NOTE
    assert str(names.control_socket) in finding.message
    assert str(names.ring_file) in finding.message
    assert str(ring) in finding.message


def test_a_runtime_directory_that_others_may_write_is_wrong(bench: Bench) -> None:
    bench.runtime.chmod(0o775)
    found = only_wrong(check_service.directory(bench.machine()))
    assert "others may write" in found.message
    assert found.remedy == f"chmod go-w {bench.runtime}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["lock", "ring"])
def test_what_lies_in_a_daemons_way_is_wrong_and_the_remedy_is_named(
    bench: Bench, suffix: str, kind: str
) -> None:
    bench.serve("front")
    path = bench.runtime / f"front.{suffix}"
    put(kind, path)
    found = only_wrong(check_service.directory(bench.machine()))
    assert str(path) in found.message
    assert found.remedy in ("remove it", f"chmod go-w {path}")


def test_services_that_meet_elsewhere_are_found(bench: Bench) -> None:
    bench.serve("front")
    machine = bench.machine(runtime=bench.root / "elsewhere")
    first, *_ = check_service.directory(machine)
    assert first.remedy == f"export FRAMEBUS_RUNTIME_DIR={bench.runtime}"


def test_a_daemon_that_streams_is_well(bench: Bench) -> None:
    bench.serve(state="streaming", frames={"fps": 29.97})
    (finding,) = check_service.daemons(bench.machine())
    assert finding.level is Level.GOOD
    assert "29.97 fps" in finding.message


def test_a_ring_that_is_smaller_than_it_might_be_is_a_note_with_what_helps(bench: Bench) -> None:
    said = "/dev/shm has 64 MiB: this ring has 15 MiB, not 32 MiB; give /dev/shm more"
    bench.serve(state="streaming", ring={"note": said})
    _, found = check_service.daemons(bench.machine())
    assert (found.level, found.remedy) == (Level.NOTE, "give /dev/shm more")
    assert found.message == "camera: /dev/shm has 64 MiB: this ring has 15 MiB, not 32 MiB"


def test_a_daemon_without_frames_passes_on_its_cause_and_remedy(bench: Bench) -> None:
    bench.serve(state="backoff", cause={"message": "it was unplugged", "remedy": "plug it in"})
    found = only_wrong(check_service.daemons(bench.machine()))
    assert found.message == "camera gives no frames (backoff): it was unplugged"
    assert found.remedy == "plug it in"


def test_a_daemon_that_a_person_stopped_is_not_wrong(bench: Bench) -> None:
    bench.serve(state="stopped", cause={"message": "capture is stopped"})
    (finding,) = check_service.daemons(bench.machine())
    assert finding.level is Level.NOTE
    assert finding.remedy == "framebus ctl start --name camera"


def test_a_camera_that_rests_is_well(bench: Bench) -> None:
    bench.serve(state="idle", cause={"code": "idle", "message": "off, nobody watches"})
    (finding,) = check_service.daemons(bench.machine())
    assert (finding.level, finding.message) == (Level.GOOD, "camera is off, since nobody watches")


def test_a_daemon_that_does_not_answer_is_named_by_its_process(bench: Bench) -> None:
    bench.serve()
    bench.replies["status"] = ControlTimeout("no answer")
    assert "kill -9 4711" in only_wrong(check_service.daemons(bench.machine())).remedy


@pytest.mark.parametrize("error", [NoPermission("not yours"), CommandRefused("no", -32603)])
def test_a_daemon_that_cannot_be_asked_is_wrong(bench: Bench, error: Exception) -> None:
    bench.serve()
    bench.replies["status"] = error
    assert only_wrong(check_service.daemons(bench.machine())).remedy


def test_a_daemon_that_is_gone_is_started_by_hand_or_by_systemd(bench: Bench) -> None:
    CameraNames(bench.runtime, "front").lock.touch()
    found = only_wrong(check_service.daemons(bench.machine()))
    assert found.remedy == "framebus up --name front"
    bench.ran["cat"] = Ran(0, "[Unit]\n")
    found = only_wrong(check_service.daemons(bench.machine()))
    assert found.remedy == "sudo systemctl start framebus-capture@front"


def test_units_that_do_not_run_are_named_with_what_starts_them(bench: Bench) -> None:
    bench.ran["list-units"] = Ran(
        0,
        "framebus-capture@front.service loaded failed     failed framebus capture daemon\n"
        "framebus-capture@back.service  loaded activating auto-restart framebus capture\n"
        "framebus-web.service           loaded inactive   dead   framebus web tier\n"
        "framebus-capture@top.service   loaded active     running framebus capture\n\n",
    )
    failed, again, dead = wrongs(check_service.units(bench.machine()))
    assert "journalctl -u framebus-capture@front.service" in failed.remedy
    assert "auto-restart" in again.message
    assert dead.remedy == "sudo systemctl start framebus-web.service"


def test_without_systemd_there_are_no_units(bench: Bench) -> None:
    assert list(check_service.units(bench.machine())) == []


def test_incidents_of_the_last_day_are_counted_also_without_a_daemon(bench: Bench) -> None:
    CameraNames(bench.runtime, "front").lock.touch()
    journal = Journal(incident_journal(bench.root / "state", bench.runtime, "front"))
    for hours, away_s in ((1, 2.0), (2, 60.0), (48, 900.0)):
        journal.append(
            {
                "id": f"{hours:03d}",
                "began_utc_ns": UTC - hours * 3_600_000_000_000,
                "away_s": away_s,
                "cause": {"message": "it was unplugged"},
            }
        )
    (finding,) = check_service.incidents(bench.machine())
    assert "front lost frames 2 times in the last 24 hours, for 1 min at most" in finding.message
