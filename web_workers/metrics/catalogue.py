"""Every family of /metrics, by its kind: its name, and what it says of itself.

Names are without `framebus_`, and without the `_total` of a counter or the `_info` of an info.
docs/http.md lists them.
"""

from __future__ import annotations

from typing import Final

GAUGES: Final = {
    "camera_online": "1 while the camera gives fresh frames, 0 while it does not.",
    "camera_state": "1 for the state that the capture is in, 0 for the others; absent: no daemon "
    "lives.",
    "camera_watched": "1 while anybody wants the camera's frames, 0 while nobody does; no sample "
    "where that makes no difference.",
    "camera_cause": "1 for the reason why there are no fresh frames; no sample while there are.",
    "newest_frame_age_seconds": "Time since the newest frame was captured; no sample while there "
    "is none.",
    "ring_sequence": "Number of the newest frame in the ring. It begins again when the ring is "
    "made anew.",
    "camera_frame_interval_seconds": "Time between two frames, as the camera granted it.",
    "daemon_start_timestamp_seconds": "When the capture daemon was started; each change is a "
    "restart.",
    "camera_state_since_timestamp_seconds": "Since when the capture is in its state.",
    "ring_size_bytes": "Size of the ring in memory.",
    "ring_frame_limit_bytes": "Size of the largest frame that the ring takes.",
    "fallback_shown": "1 while viewers see the fallback, 0 while they do not; no sample without a "
    "fallback.",
    "source_frames_per_second": "Valid frames a second, as measured over the last ones.",
    "incident_active": "1 while an incident goes on: frames are missing, and something is to "
    "blame for it.",
    "camera_failures_in_a_row": "How often it failed since the stream was last well.",
    "camera_retry_timestamp_seconds": "When the daemon tries again by itself; no sample when it "
    "need not.",
    "recovery_rung": "1 for the rung that is being tried, or was tried last.",
    "recovery_rung_unavailable": "1 for each rung that cannot be used now; `framebus ctl status` "
    "says what grants it.",
    "daemon_answers": "1 if the daemon answered on its control socket for this scrape, 0 if it did "
    "not.",
    "incident_began_timestamp_seconds": "When the incident that goes on now began; no sample while "
    "there is none.",
    "incident_holders": "Other processes seen to have the camera's device in the incident that "
    "goes on now.",
    "incident_tries": "How often each rung was tried in the incident that goes on now, of its last "
    "tries.",
    "web_workers": "Worker processes of the web tier.",
    "viewers": "Viewers connected now: of frames (stream) or of states (events, where the camera * "
    "is all of them).",
    "viewer_frames_waiting": "Newest frames that a viewer may still get: it receives an older one "
    "now.",
}
COUNTERS: Final = {
    "control_answered": "Answers that the daemon sent on its control socket.",
    "control_dropped": "What the daemon dropped on its control socket, by the reason.",
    "frames_captured": "Frames that the source gave: all that were published or rejected.",
    "frames_published": "Frames put into the ring.",
    "frames_rejected": "Frames that the source gave and that were not published, by the reason.",
    "frames_missed": "Frames that never reached the daemon: gaps in the source's own numbering.",
    "recovery_tries": "How often each rung of the recovery ladder was begun, by itself or for a "
    "person.",
    "incidents": "Incidents that have ended, by what they began with and by what brought frames "
    "back: a rung of the recovery ladder, itself, a person, or nothing.",
    "incident_seconds": "Time without frames in the incidents that have ended.",
    "incidents_unwritten": "Entries about incidents that could not be written to the journal on "
    "disk.",
    "connections_dropped": "Connections that were given up besides viewers: their request was not "
    "there in time (late), there were too many of them (displaced), they did not take their "
    "response (unread).",
    "handovers": "Viewers that were to go from one worker to another, by what became of them: "
    "done, or lost, because no worker took them in time (no-room), or could (the others).",
    "viewers_accepted": "Viewers that were let in.",
    "viewers_closed": "Viewers that are gone: left, stalled (took nothing for too long), unwanted "
    "(said too much), failed, ended (their worker ended), worker-died (it was killed).",
    "viewers_refused": "Viewers that were not let in, since there were too many or they took too "
    "much.",
    "viewer_sent_bytes": "Bytes handed to the kernel for viewers.",
    "viewer_frames_sent": "Frames sent to viewers: each counts once for each viewer that it was "
    "sent to.",
    "viewer_frames_skipped": "Frames that a viewer was not sent, because it was slower or asked "
    "for fewer. Sent, skipped and waiting are together what was published since each viewer "
    "joined.",
}
INFOS: Final = {
    "camera_format": "The format that the camera granted, and the kind of source that it comes "
    "from.",
    "daemon": "The capture daemon's version.",
}
HISTOGRAMS: Final = {
    "frame_age_at_send_seconds": "Age of each frame, from its capture until a worker had handed "
    "it to all of its viewers that could take it.",
}
