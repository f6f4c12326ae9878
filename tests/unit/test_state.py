from __future__ import annotations

from web_workers.cameras.observe import Observation
from web_workers.pages.state import state


def test_each_viewer_is_told_of_also_those_that_a_unix_socket_makes_alike() -> None:
    seen = Observation("camera", {}, "streaming", None, True, 1, 0.0, None)
    viewers = [
        {"peer": peer, "fps": fps, "style": "plain", "dual_final_frames": False}
        for fps, peer in enumerate(["unix", "127.0.0.1:4000", "unix", "unix"])
    ]
    told = state(seen, viewers, 1)["result"]["stream"]
    assert {key: each["fps"] for key, each in told["clients_stat"].items()} == {
        "unix": 0,
        "127.0.0.1:4000": 1,
        "unix#2": 2,
        "unix#3": 3,
    }
    assert told["clients"] == len(told["clients_stat"])
