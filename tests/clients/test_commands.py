"""Every command line of docs/clients.md, run as it stands there."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import cv2
import pytest
from framebus.control.client import ControlClient
from framebus.names import DEFAULT_CAMERA, CameraNames, runtime_dir

from tests.clients import page
from tests.clients.checks import LIMIT_S, need, serves
from tests.clients.conftest import SIZE, shows
from tests.clients.players import PLAYERS, Curl, Player, Python
from tests.helpers.waiting import until
from tests.samples import pictures

pytestmark = pytest.mark.slow


def plays(words: list[str], directory: Path) -> None:
    """A player shows pictures that differ."""
    with PLAYERS[words[0]](words, directory) as player:
        until(player.moves, within_s=LIMIT_S, what=f"{words[0]} shows frames that move on")


def saves(words: list[str], directory: Path) -> None:
    """What curl writes is a picture, and another one the next time."""
    file = directory / words[words.index("-o") + 1]

    def fetched() -> bytes:
        # Fails without a file while the camera is away, as a stalled machine makes it.
        done = subprocess.run([*words, "--fail", "--silent"], cwd=directory, timeout=LIMIT_S)
        return file.read_bytes() if done.returncode == 0 else b""

    first = until(fetched, within_s=LIMIT_S)
    until(lambda: fetched() not in (b"", first), within_s=LIMIT_S, what="another picture")
    assert "{}x{}".format(*pictures.decode(first)) == SIZE


def records(words: list[str], directory: Path) -> None:
    """What ffmpeg writes is a clip of as many frames as were asked for, which move on."""
    subprocess.run([*words, "-v", "error"], cwd=directory, check=True, timeout=LIMIT_S)
    clip = cv2.VideoCapture(str(directory / words[-1]))
    shown = []
    try:
        while (read := clip.read())[0]:
            shown.append(zlib.crc32(read[1].tobytes()))
    finally:
        clip.release()
    assert len(shown) == int(words[words.index("-frames:v") + 1])
    assert len(set(shown)) >= 5


CHECKS: Mapping[str, Callable[[list[str], Path], None]] = {"curl": saves, "ffmpeg": records}


@pytest.mark.parametrize("command", page.commands())
def test_a_line_of_the_page_shows_frames_that_move_on(
    base: str, tmp_path: Path, request: pytest.FixtureRequest, command: str
) -> None:
    words = page.words(command, base)
    need(words)
    if words[0] == "framebus":
        serves(words, tmp_path, request.getfixturevalue("runtime"))
    elif words[0] in PLAYERS and "/stream" in command:
        plays(words, tmp_path)
    else:
        CHECKS[words[0]](words, tmp_path)


@pytest.mark.parametrize("number", range(len(page.blocks("python"))))
def test_a_program_of_the_page_gets_frames_that_move_on(
    base: str, tmp_path: Path, number: int
) -> None:
    file = tmp_path / "program.py"
    file.write_text(page.blocks("python")[number].text.replace(page.ADDRESS, base))
    with Python([str(file)], tmp_path) as program:
        until(program.moves, within_s=LIMIT_S)


def test_players_live_through_a_camera_that_is_away_and_comes_back_with_another_size(
    base: str, tmp_path: Path
) -> None:
    names = CameraNames(runtime_dir(), DEFAULT_CAMERA)
    with ControlClient(names, timeout_s=20) as control, ExitStack() as stack:
        players = [stack.enter_context(player) for player in _players(base, tmp_path)]
        assert {type(player) for player in players} == set(PLAYERS.values())
        (curl,) = [player for player in players if isinstance(player, Curl)]
        stack.callback(control.call, "configure", {"size": SIZE})
        stack.callback(control.call, "start", {})
        _all(players, Player.moves, "they show frames")
        control.call("stop", {})
        _all([curl], lambda _: curl.placeholders >= 3, "it is shown as away")
        _go_on(players)  # with what stands for frames: their buffers are empty after two seconds
        frames = curl.frames
        control.call("configure", {"size": "320x240"})
        control.call("start", {})
        _all([curl], lambda _: curl.frames > frames, "frames come again")
        _go_on(players)
    until(lambda: shows(base, SIZE), within_s=LIMIT_S, what="it is for the next test as it was")


def _players(base: str, directory: Path) -> Iterator[Player]:
    """Start each player of the page."""
    for number, command in enumerate(page.commands()):
        words = page.words(command, base)
        if words[0] in PLAYERS and "/stream" in command:
            need(words)
            own = directory / str(number)
            own.mkdir()
            yield PLAYERS[words[0]](words, own)


def _go_on(players: list[Player]) -> None:
    before = {player: player.shown() for player in players}
    _all(players, lambda player: len(player.seen) >= before[player] + 2, "they go on")


def _all(players: list[Player], condition: Callable[[Player], bool], what: str) -> None:
    def look() -> bool:
        shown = [player.shown() for player in players]
        return all(shown) and all(condition(player) for player in players)

    until(look, within_s=LIMIT_S, what=what)
