"""A process without a descriptor left: everywhere that is a shortage, and neither permission, nor
absence, nor damage."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click
import pytest
from framebus.cli import ls
from framebus.control.client import ControlClient
from framebus.errors import (
    SHORTAGES,
    CameraAbsent,
    FrameTimeout,
    NoPermission,
    OutOfResources,
    raise_shortage,
    refused,
)
from framebus.invocation.usage import run
from framebus.listener import Listener
from framebus.liveness import holder
from framebus.names import CameraNames, cameras
from framebus.options.file import load
from framebus.reader import FrameReader
from framebus.ring import layout, ring_file
from framebus.ring.predecessor import left_behind
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter
from framebus.running import RunningCamera, RuntimeDirectory, running
from framebus.secret_files import make_secret, read_secret
from framebus.unix_sockets import bind

from capture_daemon.ownership.locks import Locks
from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.sources.file import errors as file_errors
from capture_daemon.sources.file.directory import Directory
from capture_daemon.v4l2.cameras import cameras as devices
from capture_daemon.v4l2.cameras import udev_capabilities
from capture_daemon.v4l2.discovery import resolve
from tests.helpers.descriptors import none_left, opened
from tests.helpers.segments import segments
from web_workers.cameras.observe import observe
from web_workers.cameras.ring_follower import RingFollower


@pytest.fixture
def names(runtime: Path, writer: RingWriter) -> CameraNames:
    """A camera with a ring, a frame, a daemon's lock file, and a file with a secret."""
    names = CameraNames(runtime)
    writer.publish(b"picture", captured_ns=1, captured_utc_ns=1)
    names.lock.touch(mode=0o640)
    make_secret(runtime / "secret")
    return names


@pytest.mark.parametrize("number", sorted(SHORTAGES))
def test_a_shortage_is_another_error_than_a_refusal(number: int) -> None:
    error = OSError(number, os.strerror(number))
    short = refused(error, "cannot open it", "grant it")
    assert isinstance(short, OutOfResources)
    assert (short.errno, short.exit_code) == (number, os.EX_OSERR)
    assert str(short) == f"cannot open it ({os.strerror(number)}): {SHORTAGES[number]}"
    with pytest.raises(OutOfResources):
        raise_shortage(error, "cannot open it")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_refusal_names_what_would_grant_it(number: int) -> None:
    error = OSError(number, os.strerror(number))
    assert isinstance(refused(error, "cannot open it", "grant it"), NoPermission)
    raise_shortage(error, "cannot open it")


OPENING: dict[str, Callable[[CameraNames], object]] = {
    "attach": RingReader.attach,
    "attach to stay": lambda names: RingReader.attach(names, stays=True),
    "make a ring": lambda names: RingWriter.create(names, capacity=layout.SMALLEST_CAPACITY),
    "tell of a ring": lambda names: ring_file.write(names, Path("/dev/shm/x")),
    "who holds a lock": lambda names: holder(names.lock),
    "take a lock": lambda names: Locks().acquire(names.lock, "it"),
    "which cameras there are": lambda names: cameras(names.runtime),
    "which devices there are": lambda _names: devices(),
    "which cameras run": lambda names: running(names.runtime),
    "serve a socket": lambda names: bind(names.runtime / "socket"),
    "read a configuration": lambda names: load(names.runtime / "secret"),
    "read a secret": lambda names: read_secret(names.runtime / "secret"),
    "make a secret": lambda names: make_secret(names.runtime / "another"),
}


@pytest.mark.parametrize("what", OPENING)
def test_who_opens_something_says_that_it_is_a_shortage_and_leaves_nothing(
    names: CameraNames, what: str
) -> None:
    left, before = sorted(names.runtime.iterdir()), opened()
    with none_left(), pytest.raises(OutOfResources, match="ulimit"):
        OPENING[what](names)
    assert (sorted(names.runtime.iterdir()), len(segments(names))) == (left, 1)
    assert opened() == before


def test_a_listener_hears_once_there_are_descriptors(names: CameraNames) -> None:
    clock = iter((0, 0, 1, *[10**9] * 3))
    listener = Listener(names)
    listener.subscription._clock = lambda: next(clock)
    with closing(bind(names.frames_socket)), closing(listener):
        with none_left():
            listener.connect()
        listener.connect()
        assert listener.subscription.client is None, "not at once again"
        listener.connect()
        assert listener.subscription.client is not None


def test_a_call_without_a_descriptor_is_a_shortage_and_the_next_one_is_made(
    names: CameraNames,
) -> None:
    with closing(bind(names.control_socket)), ControlClient(names, timeout_s=0.0) as client:
        with none_left(), pytest.raises(OutOfResources):
            client.call("status")
        with pytest.raises(CameraAbsent):  # nobody holds the lock
            client.call("status")


@pytest.mark.parametrize("name", ["/dev/nowhere", "usb:046d:0825"])
def test_a_camera_that_could_not_be_looked_for_is_not_told_as_absent(name: str) -> None:
    with none_left(), pytest.raises(SourceError) as failed:
        resolve(name)
    assert failed.value.code == "no-descriptors"
    assert "ulimit" in failed.value.message


def test_udev_that_could_not_be_asked_is_not_told_as_knowing_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def short(*_arguments: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("pyudev.Devices.from_device_file", short)
    with pytest.raises(OutOfResources):
        udev_capabilities("/dev/null")


def test_ls_does_not_say_that_a_camera_cannot_be_reached_where_it_could_not_try(
    names: CameraNames,
) -> None:
    camera = RunningCamera(names.camera, os.getpid())
    directory = RuntimeDirectory(names.runtime, os.getuid(), os.getgid(), 0o700, True, (camera,))
    served = closing(bind(names.queries_socket))
    with served, none_left(), pytest.raises(OutOfResources):
        ls._row(camera, directory, ask=True)


def test_a_frame_reader_waits_for_descriptors_and_then_reads(
    names: CameraNames, caplog: pytest.LogCaptureFixture
) -> None:
    with FrameReader(runtime=names.runtime) as reader:
        with none_left():
            for _ in range(2):
                with pytest.raises(FrameTimeout, match="Too many open files"):
                    reader.next(0.0)
            with pytest.raises(OutOfResources):
                reader.latest()
        assert len([each for each in caplog.messages if "trying again" in each]) == 1
        assert reader.next(0.0).jpeg == b"picture"
        with pytest.raises(FrameTimeout, match="state is unknown"):
            reader.next(0.0)


def test_a_daemon_without_room_for_its_predecessors_ring_begins_without_it(
    names: CameraNames, caplog: pytest.LogCaptureFixture
) -> None:
    with none_left(), left_behind(names) as predecessor:
        assert predecessor is None
    assert "Too many open files" in caplog.text


def test_the_web_tier_says_neither_that_a_camera_is_absent_nor_that_it_is_not_permitted(
    names: CameraNames,
) -> None:
    with none_left():
        seen = observe(names, now_ns=0)
    assert seen.cause is not None
    assert (seen.state, seen.cause.code) == ("opening", "out-of-resources")
    assert "Too many open files" in seen.cause.message


def test_a_follower_attaches_once_there_are_descriptors(
    names: CameraNames,
) -> None:
    with closing(RingFollower(names)) as follower:
        ring, follower.ring = follower.ring, None
        assert ring is not None
        ring.close()
        with none_left():
            follower.poll()
            assert follower.cause().code == "out-of-resources"
        follower.poll()
        assert follower.trouble is None


def test_a_lock_that_the_kernel_has_no_room_for_is_a_shortage(
    names: CameraNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    before = opened()
    monkeypatch.setattr("fcntl.lockf", full)
    with pytest.raises(OutOfResources, match="no locks"):
        Locks().acquire(names.lock, "it")
    assert opened() == before


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EMFILE, "no-descriptors"), (errno.ENOMEM, "no-memory")]
)
def test_a_file_that_cannot_be_opened_for_want_of_something_is_tried_again(
    number: int, code: str
) -> None:
    error = file_errors.failed(Path("x.avi"), OSError(number, os.strerror(number)))
    assert isinstance(error, SourceError)
    assert not isinstance(error, SourceUnusable)
    assert (error.code, error.remedy) == (code, SHORTAGES[number])


def test_a_shortage_says_nothing_of_the_pictures_of_a_directory(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    pictures = Directory(tmp_path).pictures()
    assert next(pictures).reason == "no-soi"
    with none_left(), pytest.raises(OSError, match="Too many open files"):
        next(pictures)


def test_a_command_that_runs_out_of_descriptors_anywhere_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def command() -> None:
        os.eventfd(0)

    with none_left():
        assert run(command, [], name="framebus") == os.EX_OSERR
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("framebus: cannot go on (Too many open files): raise this program")
