"""The JSON that tells of cameras: /state with ustreamer's shape inside, /cameras, /readyz. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from framebus.json_parts import object_at

from web_workers.cameras.observe import Observation


def state(seen: Observation, viewers: Sequence[Mapping[str, Any]], worker: int) -> dict[str, Any]:
    """Return the whole state of a camera.

    `viewers` are the counters of the worker with the process id `worker`; other workers have
    their own. `ok` and `result` are what ustreamer's clients look for.
    """
    return {
        **seen.document(),
        "viewers": {"worker": worker, "count": len(viewers), "list": list(viewers)},
        "ok": True,
        "result": _ustreamer(seen, viewers),
    }


def summary(seen: Observation, root: str) -> dict[str, Any]:
    """Return one camera's line in the list of cameras; `root` is where `/` is from there."""
    document = seen.document()
    keys = ("camera", "state", "online", "showing", "cause", "age_s")
    path = f"{root}cameras/{seen.camera}"
    links = {
        name: f"{path}/{name}" for name in ("stream", "snapshot", "state", "events", "incidents")
    }
    return {**{key: document[key] for key in keys}, "links": links}


def readiness(seen: Observation) -> dict[str, Any]:
    """Return whether a camera gives fresh frames, or would if anybody watched; and why not."""
    document = seen.document()
    keys = ("camera", "state", "showing", "cause", "age_s", "interval_s")
    return {"ready": seen.ready, **{key: document[key] for key in keys}}


def _ustreamer(seen: Observation, viewers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    # What viewers see, which is not always the camera.
    shown = object_at(seen.status, "fallback") if seen.showing == "fallback" else seen.status
    granted = object_at(object_at(shown, "source"), "granted")
    measured = object_at(shown, "frames").get("fps") or 0
    return {
        "encoder": {"type": "HW" if granted.get("fourcc") == "MJPG" else "CPU", "quality": 0},
        "source": {
            "resolution": {
                "width": granted.get("width") or 0,
                "height": granted.get("height") or 0,
            },
            "online": seen.online,
            "desired_fps": round(granted.get("fps") or 0),
            "captured_fps": round(measured),
        },
        "stream": {
            "queued_fps": round(measured) if viewers else 0,
            "clients": len(viewers),
            "clients_stat": {
                key: {
                    "fps": round(viewer["fps"]),
                    "extra_headers": viewer["style"] == "extra",
                    "advance_headers": viewer["style"] == "advance",
                    "dual_final_frames": viewer["dual_final_frames"],
                    "zero_data": False,
                }
                for key, viewer in _keyed(viewers)
            },
        },
    }


def _keyed(viewers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each viewer with a key of its own: through a Unix socket all have the peer `unix`."""
    met: Counter[str] = Counter()
    for viewer in viewers:
        peer = viewer["peer"]
        met[peer] += 1
        yield (peer if met[peer] == 1 else f"{peer}#{met[peer]}"), viewer
