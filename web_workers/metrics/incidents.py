"""A camera's losses of frames, from its daemon's reply to `incidents`. Pure.

Numbers and words only: who held the camera and what the kernel said is not for everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from framebus.json_parts import list_at, object_at, objects_at

from web_workers.metrics.families import MetricFamilies, as_number, as_seconds, as_word


def tell(families: MetricFamilies, name: str, reply: object | None) -> None:
    """Fill in what a camera's living daemon said; None if it did not answer."""
    camera = {"camera": name}
    families.add("daemon_answers", int(reply is not None), **camera)
    for row in objects_at(reply, "totals"):
        labels = {**camera, "cause": row.get("cause"), "cured_by": row.get("cured_by")}
        families.add("incidents", row.get("count"), **labels)
        families.add("incident_seconds", row.get("away_s"), **labels)
    unwritten = object_at(reply, "journal").get("unwritten")
    families.add("incidents_unwritten", unwritten, **camera)
    now = reply.get("now") if isinstance(reply, Mapping) else None
    for each in objects_at(reply, "incidents"):
        if now is not None and each.get("id") == now:
            _tell_present(families, each, camera)
            return


def _tell_present(
    families: MetricFamilies, incident: Mapping[str, object], camera: Mapping[str, str]
) -> None:
    began = as_seconds(incident.get("began_utc_ns"))
    families.add("incident_began_timestamp_seconds", began, **camera)
    families.add("incident_holders", len(list_at(incident, "holders")), **camera)
    tried: defaultdict[str, float] = defaultdict(float)
    for each in objects_at(incident, "tried"):
        tried[as_word(each.get("rung"))] += as_number(each.get("times")) or 1
    for rung, times in tried.items():
        families.add("incident_tries", times, **camera, rung=rung)
