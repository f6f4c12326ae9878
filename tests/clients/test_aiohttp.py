"""Programs that read a stream by aiohttp: Home Assistant, and PiKVM as a client of ustreamer.

Neither is installed: what they ask, and how they take the answer apart, is done here in the same
way (home-assistant/core:homeassistant/components/mjpeg/camera.py, pikvm/kvmd:kvmd/clients/).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
import pytest
from framebus.control.client import ControlClient
from framebus.names import DEFAULT_CAMERA, CameraNames, runtime_dir

from tests.clients import page
from tests.clients.conftest import SIZE, shows
from tests.helpers.waiting import until
from tests.samples.pictures import decode

TIMEOUT = aiohttp.ClientTimeout(total=50)


def reading(read: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    """Run `read` with a session."""

    async def run() -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            await read(session)

    asyncio.run(run())


def addresses(section: str, base: str) -> list[str]:
    lines = page.block(section, "text").lines()
    return [line.replace(page.ADDRESS, base) for line in lines]


def size(picture: bytes) -> str:
    return "{}x{}".format(*decode(picture))


def test_home_assistant_passes_on_a_stream_and_finds_its_first_picture(base: str) -> None:
    stream, still = addresses("Home Assistant", base)

    async def read(session: aiohttp.ClientSession) -> None:
        async with session.get(stream) as response:
            assert response.headers["Content-Type"].startswith("multipart/x-mixed-replace;")
            data = b""
            while data.count(b"\xff\xd9") < 10:
                data += await response.content.read(102400)
        # Its still picture, where no address of one is given: what is between the first two marks.
        first = data[data.index(b"\xff\xd8") : data.index(b"\xff\xd9") + 2]
        assert size(first) == SIZE
        async with session.get(still) as response:
            assert size(await response.read()) == SIZE

    reading(read)


def test_home_assistants_generic_camera_always_gets_a_picture(base: str) -> None:
    """It keeps the picture that it had when the answer is an error (components/generic)."""
    still = addresses("Home Assistant", base)[1]

    async def read(session: aiohttp.ClientSession) -> None:
        while True:
            async with session.get(still) as response:
                response.raise_for_status()
                assert response.headers["Content-Type"] == "image/jpeg"
                assert size(await response.read()) == SIZE
                if response.headers.get("X-Placeholder") == "stopped":
                    return

    with ControlClient(CameraNames(runtime_dir(), DEFAULT_CAMERA), timeout_s=20) as control:
        control.call("stop", {})
        try:
            reading(read)
        finally:
            control.call("start", {})
    until(lambda: shows(base, SIZE), within_s=50, what="it is for the next test as it was")


@pytest.mark.parametrize("number", range(3))
def test_a_client_of_ustreamer_reads_frames_that_move_on(base: str, number: int) -> None:
    streams = [each for each in addresses("Clients of ustreamer", base) if "/stream" in each]
    assert len(streams) == 3

    async def read(session: aiohttp.ClientSession) -> None:
        seen: dict[bytes, Mapping[str, str]] = {}
        extra = "extra_headers" in streams[number]
        async with session.get(streams[number]) as response:
            parts = aiohttp.MultipartReader.from_response(response)
            while len(seen) < 5:
                part = await parts.next()
                assert isinstance(part, aiohttp.BodyPartReader)
                jpeg = bytes(await part.read())
                if not extra or _online(part.headers):
                    seen[jpeg] = part.headers
        for jpeg, headers in seen.items():
            assert size(jpeg) == SIZE
            assert not extra or _size(headers) == SIZE

    reading(read)


def test_a_client_of_ustreamer_takes_snapshots_and_asks_for_the_state(base: str) -> None:
    snapshot, state = addresses("Clients of ustreamer", base)[3:]

    async def read(session: aiohttp.ClientSession) -> None:
        while True:  # a stalled machine has no fresh frame for a while
            async with session.get(snapshot) as response:
                jpeg = await response.read()
                if response.status == 200 and _online(response.headers):
                    break
        assert size(jpeg) == _size(response.headers) == SIZE
        while True:
            async with session.get(state) as response:
                told = json.loads(await response.read())
                if told["result"]["source"]["online"]:
                    break
        assert told["ok"] is True
        width, height = map(int, SIZE.split("x"))
        assert told["result"]["source"]["resolution"] == {"width": width, "height": height}
        for part, key in (
            ("source", "captured_fps"),
            ("source", "desired_fps"),
            ("encoder", "quality"),
            ("stream", "clients"),
        ):
            assert isinstance(told["result"][part][key], int)
        assert isinstance(told["result"]["stream"]["clients_stat"], dict)

    reading(read)


def _online(headers: Mapping[str, str]) -> bool:
    return headers["X-UStreamer-Online"] == "true"


def _size(headers: Mapping[str, str]) -> str:
    return f"{headers['X-UStreamer-Width']}x{headers['X-UStreamer-Height']}"
