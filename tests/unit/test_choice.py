"""Which camera a command takes, and what it says where that one does not run."""

from __future__ import annotations

import grp
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from framebus.cli import choice
from framebus.errors import BadCameraName, CameraAbsent, FrameTimeout, NoPermission, UsageError
from framebus.invocation import typed
from framebus.names import CameraNames
from framebus.running import RunningCamera, RuntimeDirectory

from tests.helpers.locks import lock_held

STATUS = ("ctl", "status")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other runtime directory, and `framebus` on PATH."""
    elsewhere(monkeypatch)
    monkeypatch.setattr(typed, "program", lambda: "framebus")
    monkeypatch.setattr(typed, "told", lambda environ, runtime: None)


def elsewhere(monkeypatch: pytest.MonkeyPatch, *found: RuntimeDirectory) -> None:
    monkeypatch.setattr(choice, "others", lambda than: list(found))


def directory(
    path: str, *cameras: str, owner: int | None = None, group: int = 0, readable: bool = True
) -> RuntimeDirectory:
    return RuntimeDirectory(
        Path(path),
        os.getuid() if owner is None else owner,
        group,
        0o750,
        readable,
        tuple(RunningCamera(name, 7) for name in cameras),
    )


def absence(runtime: Path, name: str | None) -> str:
    return choice.absence(CameraNames(runtime, name or "camera"), name, STATUS)


def test_the_camera_that_runs_is_taken(runtime: Path) -> None:
    CameraNames(runtime, "back").lock.touch()  # it had a daemon once
    with lock_held(CameraNames(runtime, "front")):
        assert choice.choose(None, STATUS) == CameraNames(runtime, "front")
        assert choice.choose("back", STATUS).camera == "back"


def test_without_any_it_is_the_default_one_which_may_be_about_to_start(runtime: Path) -> None:
    assert choice.choose(None, STATUS) == CameraNames(runtime, "camera")
    with pytest.raises(BadCameraName):
        choice.choose("Front", STATUS)


def test_of_several_a_person_must_say_which(runtime: Path) -> None:
    with ExitStack() as stack:
        for name in ("front", "camera", "back"):
            stack.enter_context(lock_held(CameraNames(runtime, name)))
        with pytest.raises(UsageError) as refused:
            choice.choose(None, STATUS)
    assert str(refused.value) == (
        f"3 cameras run in {runtime}: back, camera and front. "
        "Say which, as in `framebus ctl status --name back`"
    )


def test_where_none_runs_it_says_how_to_start_one(runtime: Path) -> None:
    assert absence(runtime, None) == (
        f"no camera runs in {runtime}: start one here with `framebus up`"
    )
    assert absence(runtime, "front") == (
        f"no daemon serves camera 'front' in {runtime}: "
        "start one here with `framebus up --name front`"
    )


def test_a_misspelt_name_gets_the_nearest_one(runtime: Path) -> None:
    with (
        lock_held(CameraNames(runtime, "back")),
        lock_held(CameraNames(runtime, "front")),
    ):
        told = absence(runtime, "fornt")
        assert "where back and front run: type `framebus ctl status --name front`" in told
        assert absence(runtime, "front") == ""


def test_a_camera_elsewhere_is_named_with_its_command(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, directory("/srv/a", "front"), directory("/srv/b", "x"))
    told = absence(runtime, None)
    assert (
        "but front runs in /srv/a: type `FRAMEBUS_RUNTIME_DIR=/srv/a framebus ctl status`" in told
    )
    assert "(others run in /srv/b: see `framebus ls`)" in told
    assert "`FRAMEBUS_RUNTIME_DIR=/srv/a framebus ctl status --name front`" in absence(
        runtime, "fornt"
    )
    assert "but x runs in /srv/b: type" in absence(runtime, "x")


def test_of_somebody_elses_directory_it_is_said_whose_it_is(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(choice, "user", lambda number: f"user{number}")
    elsewhere(monkeypatch, directory("/tmp/framebus-77", "front", owner=77))
    assert (
        "front runs in /tmp/framebus-77, of user user77: it is user user77's: type "
        "`sudo -u user77 env FRAMEBUS_RUNTIME_DIR=/tmp/framebus-77 framebus ctl status`"
    ) in absence(runtime, None)


@pytest.mark.parametrize(
    ("members", "remedy"),
    [
        ([], "you are not in the group cams: `sudo adduser user4711 cams`, then log in again"),
        (["user4711"], "you are in the group cams once you have logged in again"),
    ],
)
def test_a_group_that_is_missing_is_named(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, members: list[str], remedy: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(choice, "user", lambda number: f"user{number}")
    cams = grp.struct_group(("cams", "x", 4711, members))
    monkeypatch.setattr(grp, "getgrgid", lambda number: cams)
    services = directory("/run/framebus", "front", owner=77, group=61099, readable=False)
    elsewhere(monkeypatch, services)
    assert remedy in absence(runtime, None)


def test_silence_for_want_of_a_daemon_is_an_absent_camera(runtime: Path) -> None:
    names = CameraNames(runtime, "front")
    with pytest.raises(CameraAbsent), choice.explained(names, None, STATUS):
        raise FrameTimeout("no new frame")
    with lock_held(names), pytest.raises(FrameTimeout), choice.explained(names, None, STATUS):
        raise FrameTimeout("no new frame")


def test_a_remedy_names_the_camera_that_had_to_be_named(runtime: Path) -> None:
    names, text = CameraNames(runtime, "front"), "capture is stopped (`framebus ctl start`)"
    with (
        lock_held(names),
        pytest.raises(FrameTimeout) as told,
        choice.explained(names, "front", STATUS),
    ):
        raise FrameTimeout(text)
    assert str(told.value) == "capture is stopped (`framebus ctl start --name front`)"
    assert typed.for_camera(text, None) == text


def test_what_lets_a_person_look_names_the_camera_that_was_asked_for(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with lock_held(CameraNames(runtime, "front")), pytest.raises(NoPermission) as refused:
        choice.choose("front", STATUS)
    assert "framebus ctl status --name front`" in str(refused.value)
