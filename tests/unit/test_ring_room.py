"""How large a ring is whose size nobody asked for, where there is little room."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.options.chosen import Chosen
from framebus.options.file import parse
from framebus.ring import room
from framebus.ring.layout import DEFAULT_CAPACITY, SMALLEST_CAPACITY, Geometry
from framebus.ring.room import Plan, Room
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.settings.options import settings
from tests.helpers.locks import lock_held_on

MIB = 1 << 20
VGA, HD = (640, 480), (1280, 720)


@dataclass
class Memory:
    """Shared memory of so many bytes, and the rings in it, living and left."""

    total: int
    others: int = 0
    living: dict[str, int] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)

    @property
    def free(self) -> int:
        return self.total - self.others - sum([*self.living.values(), *self.dead.values()])

    def plan(self, name: str, cameras: int, frame: tuple[int, int] | None = HD) -> Plan:
        rings = sum([*self.living.values(), *self.dead.values()])
        seen = Room(free=self.free, rings=rings, left=self.dead.get(name, 0))
        return room.shared(seen, cameras=cameras, frame=frame)

    def start(self, name: str, cameras: int, frame: tuple[int, int] | None = HD) -> int:
        """Make a ring, as it is planned; return its capacity, 0 if it does not fit."""
        capacity = self.plan(name, cameras, frame).capacity
        size = Geometry.for_capacity(capacity).size
        if size > self.free:
            return 0
        self.living[name] = size
        self.dead.pop(name, None)
        return capacity

    def kill(self) -> None:
        self.dead, self.living = self.living, {}


def test_where_there_is_room_a_ring_has_the_default_and_nothing_is_said() -> None:
    plan = Memory(2048 * MIB).plan("a", cameras=4)
    assert plan.capacity == DEFAULT_CAPACITY
    assert plan.note(plan.capacity) == ""


@given(
    total=st.integers(16, 512).map(lambda n: n * MIB),
    cameras=st.integers(1, 8),
    frame=st.sampled_from([VGA, HD]),
)
def test_cameras_that_start_together_get_the_same_and_so_do_all_their_successors(
    total: int, cameras: int, frame: tuple[int, int]
) -> None:
    memory, names = Memory(total), "abcdefgh"[:cameras]
    first = [memory.start(name, cameras, frame) for name in names]
    share = total // (2 * cameras)
    if share < Geometry.for_capacity(room.modest(frame)).size:
        assert min(first) >= room.least(frame)
        return
    assert len(set(first)) == 1
    assert first[0] >= min(share * 4 // 5 - MIB, DEFAULT_CAPACITY)
    memory.kill()  # all at once: each ring is still there until its successor's is told of
    assert [memory.start(name, cameras, frame) for name in names] == first


def test_a_container_s_64_mb_hold_one_camera_s_ring_and_its_successor_s() -> None:
    memory = Memory(64 * MIB)
    assert memory.start("a", 1) == 31 * MIB
    memory.kill()
    assert memory.start("a", 1) == 31 * MIB


def test_two_cameras_in_64_mb_have_16_mb_each_with_their_successors() -> None:
    memory = Memory(64 * MIB)
    assert [memory.start(name, 2) for name in "ab"] == [15 * MIB, 15 * MIB]


def test_daemons_that_nobody_told_of_each_other_leave_room_for_the_next() -> None:
    memory = Memory(64 * MIB)
    made = [memory.start(name, cameras=1) for name in "abcdef"]
    assert made[:4] == [31 * MIB, 16 * MIB, 8 * MIB, 4 * MIB]
    assert min(made) >= room.least(HD)


def test_a_camera_that_is_added_later_finds_room_beside_those_that_run() -> None:
    memory = Memory(64 * MIB)
    memory.start("a", cameras=1)
    assert memory.start("b", cameras=2) == 15 * MIB


@pytest.mark.parametrize("frame", [None, VGA, HD])
def test_a_tmpfs_of_8_mb_holds_one_camera(frame: tuple[int, int] | None) -> None:
    memory = Memory(8 * MIB)
    assert memory.start("a", 1, frame) >= 3 * MIB
    memory.kill()
    assert memory.start("a", 1, frame) >= 3 * MIB


def test_a_tmpfs_of_8_mb_holds_two_cameras_even_of_an_unknown_size() -> None:
    memory = Memory(8 * MIB)
    assert [memory.start(name, 2, None) for name in "ab"] == [3 * MIB, 3 * MIB]


def test_room_that_others_have_is_not_shared() -> None:
    memory = Memory(1024 * MIB, others=960 * MIB)
    assert [memory.start(name, 2) for name in "ab"] == [15 * MIB, 15 * MIB]


def test_full_shared_memory_is_tried_for_the_least_that_makes_sense() -> None:
    memory = Memory(64 * MIB, others=64 * MIB - 4096)
    assert memory.plan("a", 1).capacity == room.least(HD)
    assert memory.start("a", 1) == 0


def test_an_unlimited_tmpfs_is_no_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    none = os.statvfs_result((*real[:2], 0, 0, 0, *real[5:10]))
    monkeypatch.setattr(os, "statvfs", lambda path: none)
    seen = Room.look(CameraNames(tmp_path), tmp_path)
    assert room.shared(seen, cameras=8, frame=None).capacity == DEFAULT_CAPACITY


def test_a_ring_takes_a_part_of_what_its_control_group_may_have() -> None:
    seen = Room(free=4096 * MIB, rings=0, left=0, memory=128 * MIB)
    assert room.shared(seen, cameras=1, frame=HD).capacity == 31 * MIB
    plan = room.shared(seen, cameras=4, frame=HD)
    assert plan.capacity == 7 * MIB
    said = plan.note(plan.capacity)
    assert "control group may have 128 MiB" in said
    assert "7 MiB, not 32 MiB" in said
    assert "--memory" in said


@pytest.mark.parametrize("frame", [None, (160, 120), VGA, HD, (1920, 1080), (16384, 16384)])
def test_even_the_smallest_ring_is_a_legal_one(frame: tuple[int, int] | None) -> None:
    assert SMALLEST_CAPACITY <= room.least(frame) <= room.modest(frame) <= 4 * MIB


def test_a_small_share_takes_what_four_frames_need_instead_of_a_successor_s_half() -> None:
    assert Memory(4 * MIB).plan("a", 1, HD).capacity == 2 * MIB
    assert Memory(4 * MIB).plan("a", 1, VGA).capacity == MIB


def test_a_size_that_was_asked_for_is_not_made_smaller_but_beside_a_killed_daemon_s_ring() -> None:
    plan = room.asked(100 * MIB, beside_predecessor=False, frame=None)
    assert (plan.capacity, plan.smallest) == (100 * MIB, 100 * MIB)
    plan = room.asked(100 * MIB, beside_predecessor=True, frame=None)
    assert (plan.capacity, plan.smallest) == (100 * MIB, MIB)
    assert "beside a killed daemon's" in plan.note(50 * MIB)
    small = room.asked(SMALLEST_CAPACITY, beside_predecessor=True, frame=None)
    assert small.smallest == SMALLEST_CAPACITY


def test_what_is_there_is_seen(tmp_path: Path) -> None:
    names, another = CameraNames(tmp_path), CameraNames(tmp_path, "another")
    mine, living, others = names.new_segment(), names.new_segment(), another.new_segment()
    for name in (mine, living, others):
        (tmp_path / name).write_bytes(bytes(64 << 10))
    (tmp_path / "somebody's").write_bytes(bytes(64 << 10))
    with lock_held_on(tmp_path / living):
        seen = Room.look(names, tmp_path)
    assert seen.rings == 3 * (64 << 10)
    assert seen.left == 64 << 10
    assert seen.free > 0


def groups(tmp_path: Path, listed: str, **limits: str) -> int | None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text(listed)
    for at, limit in limits.items():
        file = tmp_path / "groups" / at.replace("__", "/").replace("_max", ".max")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(limit)
    return room.memory_limit(tmp_path, tmp_path / "groups")


def test_the_least_limit_of_a_group_and_those_above_it_counts(tmp_path: Path) -> None:
    limits = {"a__memory_max": "200\n", "a__b__memory_max": "max\n", "memory_max": "300\n"}
    assert groups(tmp_path, "0::/a/b\n", **limits) == 200


def test_a_group_in_a_container_has_its_limit_at_the_top(tmp_path: Path) -> None:
    assert groups(tmp_path, "0::/\n", memory_max="134217728\n") == 128 * MIB


def test_version_1_has_a_limit_of_its_own_and_a_number_for_none(tmp_path: Path) -> None:
    listed = "3:cpu,memory:/c\n1:name=systemd:/c\n"
    (tmp_path / "groups/memory/c").mkdir(parents=True)
    (tmp_path / "groups/memory/c/memory.limit_in_bytes").write_text("500\n")
    (tmp_path / "groups/memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert groups(tmp_path, listed) == 500


@pytest.mark.parametrize("listed", ["", "0::/a\n", "3:cpu:/c\n"])
def test_where_no_limit_is_to_be_seen_there_is_none(tmp_path: Path, listed: str) -> None:
    assert groups(tmp_path, listed) is None
    assert room.memory_limit(tmp_path / "no proc") is None


@pytest.mark.parametrize(
    ("text", "environ", "count"),
    [
        ("", {}, 1),
        ("", {"FRAMEBUS_CAMERAS": "a b c"}, 3),
        ('[camera.a]\n[camera.b]\nsource = "test"\n', {}, 2),
        ('cameras = ["a"]\n[camera.b]\n', {"FRAMEBUS_CAMERAS": "a"}, 1),
        ("[camera.b]\n[camera.c]\n", {"FRAMEBUS_CAMERAS": "b c"}, 3),
    ],
)
def test_how_many_cameras_share_is_what_up_or_the_file_tells(
    text: str, environ: dict[str, str], count: int
) -> None:
    chosen = Chosen({"name": "a", "source": "test"}, parse(text, "file"))
    assert settings(chosen).cameras(environ) == count
