"""A camera's losses of frames, from its daemon's reply to `incidents`. Pure.

Numbers and words only: who held the camera and what the kernel said is not for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping

from framebus.json_parts import list_at, object_at, objects_at

from web_workers.metrics.families import Labels, MetricFamilies, as_number, as_seconds, as_word


def tell(families: MetricFamilies, name: str, reply: object | None) -> None:
    """Fill in what a camera's living daemon said; None if it did not answer."""
    camera = {"camera": name}
    families.gauge(
        "daemon_answers",
        "1 if the daemon answered on its control socket for this scrape, 0 if it did not.",
        int(reply is not None),
        camera,
    )
    told = reply if isinstance(reply, Mapping) else {}
    _tell_totals(families, told, camera)
    now = told.get("now")
    for each in objects_at(told, "incidents"):
        if now is not None and each.get("id") == now:
            _tell_present(families, each, camera)
            return


def _tell_totals(families: MetricFamilies, told: Mapping[str, object], camera: Labels) -> None:
    for row in objects_at(told, "totals"):
        labels = {
            **camera,
            "cause": as_word(row.get("cause")),
            "cured_by": as_word(row.get("cured_by")),
        }
        families.counter(
            "incidents",
            "Incidents that have ended, by what they began with and by what brought frames back: "
            "a rung of the recovery ladder, itself, a person, or nothing.",
            row.get("count"),
            labels,
        )
        families.counter(
            "incident_seconds",
            "Time without frames in the incidents that have ended.",
            row.get("away_s"),
            labels,
        )
    families.counter(
        "incidents_unwritten",
        "Entries about incidents that could not be written to the journal on disk.",
        object_at(told, "journal").get("unwritten"),
        camera,
    )


def _tell_present(families: MetricFamilies, incident: Mapping[str, object], camera: Labels) -> None:
    families.gauge(
        "incident_began_timestamp_seconds",
        "When the incident that goes on now began; no sample while there is none.",
        as_seconds(incident.get("began_utc_ns")),
        camera,
    )
    families.gauge(
        "incident_holders",
        "Other processes seen to have the camera's device in the incident that goes on now.",
        len(list_at(incident, "holders")),
        camera,
    )
    tried: dict[str, float] = {}
    for each in objects_at(incident, "tried"):
        rung = as_word(each.get("rung"))
        tried[rung] = tried.get(rung, 0) + (as_number(each.get("times")) or 1)
    for rung, times in tried.items():
        families.gauge(
            "incident_tries",
            "How often each rung was tried in the incident that goes on now, of its last tries.",
            times,
            {**camera, "rung": rung},
        )
