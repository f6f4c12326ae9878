"""The doctor's checks of cameras: there, allowed, free, and what the kernel says of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capture_daemon.diagnosis import check_cameras, doctor
from capture_daemon.diagnosis.finding import Finding, Level
from capture_daemon.diagnosis.kernel_messages import meaning
from capture_daemon.diagnosis.machine import Machine
from capture_daemon.diagnosis.records import Line
from tests.fakes.machine import UTC, Bench, a_holder, only_wrong, wrongs
from tests.fakes.usb_tree import STICK, UsbTree


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def line(text: str) -> Line:
    known = meaning(text)
    assert known is not None
    return Line(UTC, text, known.text, known.sign)


def test_a_camera_that_is_there_is_named_as_a_source(bench: Bench) -> None:
    bench.plug()
    (finding,) = check_cameras.presence(bench.machine())
    assert finding.level is Level.GOOD
    assert "v4l2:usb:046d:0825:S0" in finding.message


def test_no_camera_is_wrong_and_the_test_pattern_is_offered(bench: Bench) -> None:
    assert "--source test" in only_wrong(check_cameras.presence(bench.machine())).remedy


def test_a_device_that_is_asked_about_and_is_not_there_is_wrong(bench: Bench) -> None:
    bench.plug()
    machine = bench.machine(device="/dev/video7")
    assert "/dev/video7" in only_wrong(check_cameras.presence(machine)).message


def test_a_camera_that_no_driver_took_is_found_by_its_interface_class(bench: Bench) -> None:
    usb = UsbTree(bench.root)
    usb.undrive(usb.plug("1-2"))
    found = only_wrong(check_cameras.presence(bench.machine()))
    assert "USB port 1-2, but no driver has taken it" in found.message
    assert "sudo modprobe uvcvideo" in found.remedy


def test_a_forbidden_device_is_allowed_again_with_one_command(bench: Bench) -> None:
    usb = UsbTree(bench.root)
    usb.deauthorise(usb.plug("1-2"))
    usb.deauthorise(usb.plug("1-3", STICK))  # is no camera
    found = only_wrong(check_cameras.presence(bench.machine()))
    assert found.remedy == "echo 1 | sudo tee /sys/bus/usb/devices/1-2/authorized"


def test_a_missing_group_is_named_and_a_new_login_where_that_is_all(bench: Bench) -> None:
    node = bench.plug()
    bench.may_open = False
    found = only_wrong(check_cameras.permission(bench.machine()))
    assert found.remedy.startswith("sudo usermod -aG ")
    assert " ada " in found.remedy
    bench.listed = frozenset({os.stat(node).st_gid})
    assert "log out" in only_wrong(check_cameras.permission(bench.machine())).remedy
    bench.groups = bench.listed
    assert "chmod 660" in only_wrong(check_cameras.permission(bench.machine())).remedy


def test_a_node_that_is_missing_in_a_container_is_passed_to_it(bench: Bench) -> None:
    node = bench.plug()
    node.unlink()
    assert f"--device {node}" in only_wrong(check_cameras.permission(bench.machine())).remedy


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        ({}, "kill 4712"),
        ({"how": ("descriptor", "dead-leader")}, "kill -9 4712"),
        ({"unit": "motion.service"}, "sudo systemctl stop motion.service"),
        ({"unit": "docker 0123456789ab"}, "stop the container docker 0123456789ab"),
    ],
)
def test_who_holds_a_camera_is_named_with_what_ends_it(
    bench: Bench, more: dict[str, object], remedy: str
) -> None:
    bench.plug()
    bench.holders = (a_holder(**more),)
    found = only_wrong(check_cameras.held(bench.machine()))
    assert "process 4712 (ada): cheese" in found.message
    assert found.remedy == remedy


def test_a_daemon_of_ours_is_no_stranger_and_who_looks_on_beside_it_is_a_note(
    bench: Bench,
) -> None:
    bench.plug()
    ours = a_holder(pid=4711, ours=True)
    bench.holders = (ours,)
    assert not wrongs(check_cameras.held(bench.machine()))
    bench.holders = (ours, a_holder())
    assert not wrongs(check_cameras.held(bench.machine()))


def test_what_could_not_be_seen_is_said_once_with_the_command_that_sees_it(bench: Bench) -> None:
    bench.plug()
    bench.plug(1, "1-2")
    bench.unseen = 12
    notes = [each for each in check_cameras.held(bench.machine()) if each.level is Level.NOTE]
    (note,) = notes
    assert note.message == "12 processes could not be looked into: `sudo framebus doctor` sees all"


def test_one_garbled_transfer_is_a_note_and_three_are_a_bad_cable(bench: Bench) -> None:
    bench.plug()
    garbled = line("uvcvideo 1-1:1.1: Non-zero status (-71) in video completion handler.")
    bench.lines = (garbled,)
    (finding,) = check_cameras.kernel(bench.machine())
    assert finding.level is Level.NOTE
    bench.lines = (garbled,) * 3
    found = only_wrong(check_cameras.kernel(bench.machine()))
    assert "another cable" in found.remedy
    assert "2 more like it" in found.message


def test_a_lack_of_bandwidth_names_the_rivals_on_the_bus(bench: Bench) -> None:
    bench.plug()
    bench.plug(1, "1-2", "Rival")
    bench.plug(2, "2-1", "Elsewhere")
    bench.lines = (line("usb 1-1: Not enough bandwidth for new device state."),)
    remedies = [each.remedy for each in wrongs(check_cameras.kernel(bench.machine()))]
    assert any("shares bus 1 with Rival" in remedy for remedy in remedies)
    assert not any("Elsewhere" in remedy for remedy in remedies)


def test_a_camera_that_came_back_is_no_complaint(bench: Bench) -> None:
    bench.plug()
    bench.lines = (line("usb 1-1: new high-speed USB device number 7 using xhci_hcd"),)
    (finding,) = check_cameras.kernel(bench.machine())
    assert finding.level is Level.GOOD


def test_a_log_that_cannot_be_read_is_a_note_with_the_group(bench: Bench) -> None:
    bench.plug()
    bench.log_notes = ("the kernel's log could not be read: …",)
    (finding,) = check_cameras.kernel(bench.machine())
    assert finding.level is Level.NOTE


def test_every_check_runs_on_an_empty_machine(bench: Bench) -> None:
    findings = doctor.examine(bench.machine())
    assert {each.message for each in wrongs(findings)} == {
        "no camera is connected (this machine shows no USB at all: a container?)"
    }
    assert doctor.exit_code(findings) == 1
    text = doctor.render(bench.machine(), findings)
    assert text.endswith("One thing is wrong.")
    assert all(len(row) <= 100 for row in text.splitlines())


def test_a_machine_with_a_camera_that_streams_has_nothing_wrong(bench: Bench) -> None:
    bench.plug()
    bench.serve(state="streaming", frames={"fps": 30.0})
    findings = doctor.examine(bench.machine())
    assert doctor.exit_code(findings) == 0
    assert doctor.render(bench.machine(), findings).endswith("Nothing is wrong.")


def test_a_check_that_fails_is_a_finding_and_the_others_are_made(bench: Bench) -> None:
    def broken(machine: Machine) -> list[Finding]:
        raise RuntimeError("a bug")

    checks = {"broken": broken, "camera": check_cameras.presence}
    findings = doctor.examine(bench.machine(), checks)
    assert [each.check for each in findings] == ["broken", "camera"]
    assert "RuntimeError: a bug" in findings[0].message
    assert len(findings) == 2
