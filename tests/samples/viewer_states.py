"""What viewers are when they move to another worker."""

from __future__ import annotations

from web_workers.handover.viewer_state import ViewerState

LONGEST = ViewerState(
    camera="c" * 32,
    states=False,
    peer="[2001:0db8:1111:2222:3333:4444:5555:6666]:65535",
    joined_ns=2**63,
    moved_ns=2**63,
    bytes_sent=2**63,
    unwanted=65_536,
    origin="2001:db8:1111:2222::/64",
    rate=10**12,
    rest=1 << 28,
    style="advance",
    fps=999.9999999999999,
    due_ns=2**63,
    dual_final=True,
    sent=2**63,
    skipped=2**63,
    waiting=1,
    lineage=2**64 - 1,
    sequence=2**63,
    captured_ns=2**63,
    measured_fps=999.9999999999999,
    marked_ns=2**63,
    marked_sent=2**63,
)
STATES = ViewerState(
    camera=None, states=True, peer="unix", joined_ns=1, moved_ns=2, bytes_sent=3, unwanted=0
)
