"""Since when a camera has sent the same picture, byte for byte: a sensor's noise never repeats.

A frozen sensor sends valid frames at the right rate, so nothing else notices it. Pure; the capture
thread sees frames, any thread may ask. The fast path does the same with the same words.
"""

from __future__ import annotations

from capture_daemon.native.state import InputState


class FreezeDetector:
    """Compares each frame with the one before it, by length and by the ring's hash."""

    def __init__(self, state: InputState | None = None) -> None:
        """Remember in `state`."""
        self._state = InputState() if state is None else state

    def see(self, length: int, hashed: int, captured_ns: int) -> None:
        """Take in the next frame; `captured_ns` is CLOCK_MONOTONIC."""
        state = self._state
        if (length, hashed) != (state.same_length, state.same_hash):
            state.same_length, state.same_hash, state.same_since_ns = length, hashed, captured_ns

    @property
    def since_ns(self) -> int:
        """When the newest picture came for the first time; 0 before the first frame."""
        return self._state.same_since_ns
