"""Both ends of the keeper's protocol: the daemon's and that of `framebus up`."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.cli.descriptor_store import DescriptorStore
from framebus.cli.launch import number_kept
from framebus.cli.part import KEPT

from capture_daemon.ownership import keeper_client
from capture_daemon.ownership.keeper_client import NAME, KeeperClient, handed_over
from tests.helpers.descriptors import opened


@pytest.fixture
def server() -> Iterator[DescriptorStore]:
    server = DescriptorStore(tempfile.gettempdir())
    yield server
    server.close()


@pytest.fixture
def client(server: DescriptorStore) -> KeeperClient:
    return KeeperClient({"NOTIFY_SOCKET": server.address})


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def hear_until(server: DescriptorStore, done: threading.Event, child: int) -> None:
    while not done.wait(0.001):
        server.receive(child)


def let_go(client: KeeperClient, server: DescriptorStore, child: int) -> None:
    done = threading.Event()
    thread = threading.Thread(target=hear_until, args=(server, done, child))
    thread.start()
    client.let_go()
    done.set()
    thread.join()


def test_a_copy_is_kept_and_let_go_of_before_the_call_returns(
    server: DescriptorStore, client: KeeperClient, pipe: tuple[int, int]
) -> None:
    reading, writing = pipe
    client.keep(reading)
    server.receive(os.getpid())
    ((name, copy),) = server.kept
    assert name == NAME
    os.write(writing, b"x")
    assert os.read(copy, 1) == b"x"
    let_go(client, server, os.getpid())
    assert server.kept == ()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(copy)


def test_the_newest_descriptor_takes_the_place_of_the_one_before(
    server: DescriptorStore, client: KeeperClient, pipe: tuple[int, int]
) -> None:
    for end in pipe:
        client.keep(end)
    server.receive(os.getpid())
    ((_, copy),) = server.kept
    os.write(copy, b"x")
    assert os.read(pipe[0], 1) == b"x"


def test_what_somebody_else_sends_is_not_kept(
    server: DescriptorStore, client: KeeperClient, pipe: tuple[int, int]
) -> None:
    before = opened()
    client.keep(pipe[0])
    server.receive(os.getpid() + 1)
    assert server.kept == ()
    assert opened() == before, "its descriptor stayed open"


@pytest.mark.parametrize(
    "message",
    [b"", b"\xff\xfe", b"FDSTORE=1", b"FDSTORE=1\nFDNAME=x" * 50, b"READY=1\nSTATUS=a=b", b"=\n="],
)
def test_messages_without_a_descriptor_change_nothing(
    server: DescriptorStore, message: bytes
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(server.address)
        sender.send(message)
    server.receive(os.getpid())
    assert server.kept == ()


def test_many_names_and_many_descriptors_are_bounded(
    server: DescriptorStore, pipe: tuple[int, int]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(server.address)
        before = opened()
        for number in range(9):
            text = f"FDSTORE=1\nFDNAME=n{number}".encode()
            socket.send_fds(sender, [text], [pipe[0]] * 40)
            server.receive(os.getpid())
        assert len(server.kept) == 4
        assert opened() == before + 4


def test_without_a_keeper_nothing_happens(pipe: tuple[int, int]) -> None:
    client = KeeperClient({})
    client.keep(pipe[0])
    client.let_go()
    assert not client.present


def test_a_keeper_that_is_gone_is_no_misfortune(pipe: tuple[int, int]) -> None:
    client = KeeperClient({"NOTIFY_SOCKET": f"@framebus-nobody-{os.getpid()}"})
    client.keep(pipe[0])
    client.let_go()


def test_a_keeper_that_does_not_answer_is_waited_for_and_then_left(
    server: DescriptorStore,
    client: KeeperClient,
    pipe: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper_client, "LET_GO_S", 0.05)
    client.keep(pipe[0])
    client.let_go()
    server.receive(os.getpid())
    assert server.kept == ()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": NAME},
        {"LISTEN_PID": "me", "LISTEN_FDS": "x", "LISTEN_FDNAMES": NAME},
        {"LISTEN_PID": "me", "LISTEN_FDS": "", "LISTEN_FDNAMES": ""},
    ],
)
def test_what_is_not_meant_for_this_process_is_not_taken(environ: dict[str, str]) -> None:
    if environ.get("LISTEN_PID") == "me":
        environ["LISTEN_PID"] = str(os.getpid())
    assert handed_over(environ) is None
    assert environ == {}


def test_kept_descriptors_get_the_numbers_that_are_promised() -> None:
    """In a child of its own, because it moves descriptors 3 and up."""
    child = os.fork()
    if not child:  # no thread is needed here, and exit comes at once
        code = 1
        try:
            files = [os.memfd_create(name) for name in "ab"]
            for fd, text in zip(files, (b"first", b"second"), strict=True):
                os.write(fd, text)
            high = [os.dup2(fd, 50 + index) for index, fd in enumerate(reversed(files))]
            environ = {KEPT: ",".join(map(str, high)), "LISTEN_FDNAMES": f"other:{NAME}"}
            number_kept(environ)
            assert os.pread(3, 9, 0) == b"second"
            assert handed_over(environ) == 4
            assert os.pread(4, 9, 0) == b"first"
            assert not os.get_inheritable(4)
            assert environ == {}
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_nobody_else_on_the_machine_can_send_to_it(server: DescriptorStore) -> None:
    socket_file = Path(server.address)
    assert socket_file.is_socket()
    assert socket_file.parent.stat().st_mode & 0o777 == 0o700


def test_its_directory_goes_with_it() -> None:
    server = DescriptorStore(tempfile.gettempdir())
    server.close()
    assert not Path(server.address).parent.exists()
