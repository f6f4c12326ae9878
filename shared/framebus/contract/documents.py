"""The JSON documents of a daemon, as types: the status, and an incident.

Who builds one is held to its keys by mypy; who reads one takes none of it for granted, and goes
through status_document.py. docs/control.md says what each key means. Times of day are nanoseconds
since 1970, UTC.
"""

from typing import TypedDict

from framebus.contract.causes import Code
from framebus.contract.words import Drop, Rejection, Rung, State


class CauseDocument(TypedDict):
    """Why there are no frames."""

    code: Code
    message: str
    remedy: str


class RequestedDocument(TypedDict):
    """What was asked of a source; null leaves it to the source."""

    width: int | None
    height: int | None
    fps: float | None


class GrantedDocument(RequestedDocument):
    """What a source gave; null where it does not say."""

    fourcc: str


class SourceDocument(TypedDict):
    """A source as it is asked for, and as it turned out."""

    spec: str
    kind: str
    device: str
    requested: RequestedDocument
    granted: GrantedDocument | None
    note: str


class FramesDocument(TypedDict):
    """What became of a source's frames."""

    captured: int
    published: int
    rejected: dict[Rejection, int]
    missed: int
    fps: float | None
    newest_utc_ns: int | None


class CaptureDocument(TypedDict):
    """One source's capture: the camera's, or the fallback's."""

    state: State
    cause: CauseDocument | None
    source: SourceDocument
    frames: FramesDocument


class FallbackDocument(CaptureDocument):
    """The fallback's capture, and whether viewers see it."""

    shown: bool
    shown_since_utc_ns: int | None


class RingDocument(TypedDict):
    """The segment: bytes of all and of the arena, number of descriptors, largest frame in bytes."""

    path: str
    size: int
    arena: int
    frames: int
    largest: int
    note: str


class ControlDocument(TypedDict):
    """Both control sockets' counts."""

    answered: int
    dropped: dict[Drop, int]


class UnavailableDocument(TypedDict):
    """A rung that cannot be used now."""

    rung: Rung
    reason: str
    remedy: str


class RecoveryDocument(TypedDict):
    """Where the recovery ladder is."""

    rung: Rung | None
    next: Rung | None
    next_utc_ns: int | None
    tries: dict[Rung, int]
    unavailable: list[UnavailableDocument]


class LeaseDocument(TypedDict):
    """To whom the camera is lent, and until when."""

    to: str
    until_utc_ns: int


class DemandDocument(TypedDict):
    """Whether anybody wants frames, and what the camera does while nobody does."""

    watched: bool
    idle_after_s: float | None
    idle_fps: float | None


class StatusDocument(CaptureDocument):
    """All that a daemon says of itself; the capture is the camera's."""

    camera: str
    pid: int
    version: str
    epoch: str
    started_utc_ns: int
    since_utc_ns: int
    incident: str | None
    attempts: int
    lease: LeaseDocument | None
    demand: DemandDocument | None
    retry_utc_ns: int | None
    fallback: FallbackDocument | None
    ring: RingDocument
    control: ControlDocument
    recovery: RecoveryDocument


class TryDocument(TypedDict):
    """One thing that was done to get frames again."""

    rung: str
    utc_ns: int | None
    note: str
    times: int


class IncidentDocument(TypedDict):
    """One loss of frames, in events, replies and the journal."""

    id: str
    camera: str
    state: str
    began_utc_ns: int | None
    ended_utc_ns: int | None
    away_s: float
    cause: CauseDocument
    causes: list[str]
    tried: list[TryDocument]
    cured_by: str | None
    fallback_utc_ns: int | None
    holders: list[dict[str, object]]
    kernel_log: list[dict[str, object]]
    notes: list[str]
