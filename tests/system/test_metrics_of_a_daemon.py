"""/metrics of a real daemon: its frames, its incidents, and no secret of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import WebTier
from tests.rigs.bus import jpeg

NAME = {"camera": "camera"}


@pytest.mark.timeout(300)
def test_a_daemons_frames_and_incidents_are_told_and_no_secret_of_it(
    runtime: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "pictures"
    tier = WebTier(runtime)
    try:
        with DaemonProcess(runtime, "--source", f"file:{clip}") as daemon:
            daemon.until_state("failed", within_s=30)

            def away() -> bool:
                now = tier.scrape()
                assert now.value("framebus_camera_online", **NAME) == 0
                began = now.value("framebus_incident_began_timestamp_seconds", **NAME)
                return (
                    now.value("framebus_incident_active", **NAME) == 1
                    and now.value("framebus_camera_state", **NAME, state="failed") == 1
                    and now.value("framebus_camera_cause", **NAME, code="no-such-file") == 1
                    and now.value("framebus_daemon_answers", **NAME) == 1
                    and began is not None
                    and began > 1.7e9
                )

            until(away, within_s=30, what="the incident")
            clip.mkdir()
            for number in range(20):
                (clip / f"good-{number:02d}.jpg").write_bytes(jpeg(number))
            (clip / "no-end.jpg").write_bytes(jpeg()[:-100])
            daemon.call("configure", fps=50)
            daemon.call("restart")
            daemon.until_state("streaming", within_s=30)
            cause = {**NAME, "cause": "no-such-file"}  # the cure is a person, or a retry in time
            until(lambda: tier.scrape().sum("framebus_incidents_total", **cause) == 1, within_s=30)

            def rejected() -> bool:
                now = tier.scrape()
                of = {**NAME, "origin": "camera"}
                captured = now.value("framebus_frames_captured_total", **of)
                published = now.value("framebus_frames_published_total", **of)
                refused = now.sum("framebus_frames_rejected_total", **of)
                assert published is not None
                assert captured == published + refused  # at every moment
                return published > 20 and refused > 2

            until(rejected, within_s=30, what="frames and damaged frames")
            until(lambda: tier.scrape().value("framebus_incident_active", **NAME) == 0, within_s=30)
            for source in (
                "http://ada:geheim@127.0.0.1:9/?password=geheim",
                "ffmpeg:-headers 'Authorization: Basic geheim' -i http://ada:geheim@127.0.0.1:9/",
            ):
                daemon.call("configure", source=source)
                kind = source.partition(":")[0]
                until(
                    lambda kind=kind: tier.json("/state")["source"]["kind"] == kind,  # type: ignore[misc]
                    within_s=30,
                )
                daemon.until_state("backoff", "failed", "stalled", "opening", within_s=30)
                assert b"geheim" not in tier.get("/metrics")[2]
                assert b"geheim" not in tier.get("/state")[2]
    finally:
        tier.close()
