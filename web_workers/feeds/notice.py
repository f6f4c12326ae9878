"""What a placeholder says of a camera without fresh frames."""

from __future__ import annotations

from dataclasses import dataclass

from framebus.contract.causes import Cause


@dataclass(frozen=True, slots=True)
class Notice:
    """What a placeholder says."""

    title: str
    message: str
    remedy: str
    jpeg: bytes | None
    """The last frame, None when there was none."""

    @classmethod
    def of(cls, camera: str, cause: Cause, *, jpeg: bytes | None, age_s: float) -> Notice:
        """Return the notice for a camera whose last frame, if any, is `age_s` seconds old."""
        title = f"old picture, nothing new for {int(age_s)} s" if jpeg else "no picture yet"
        return cls(f"{camera}: {title}", cause.message, cause.remedy, jpeg)
