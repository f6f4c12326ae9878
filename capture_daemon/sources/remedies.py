"""What a person should do about a source without pictures: it depends on what it is read from.

One table, a row for each medium. What is special to one failure of one source (a port that nothing
listens at, a missing file) is said where it is found.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Medium(enum.Enum):
    """What a source reads from; of several inputs, the one that is named first here counts."""

    NETWORK = "network"
    DEVICE = "device"
    FILE = "file"
    GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Remedies:
    """Sentences for the troubles that every source may have."""

    silent: str
    """It is open, and sends nothing."""
    garbage: str
    """It sends what is no picture."""
    not_answering: str
    """It has not returned from what it does for seconds."""
    no_picture: str
    """A program that reads it ended, or showed nothing in time."""


BY_MEDIUM = {
    Medium.DEVICE: Remedies(
        silent="check the cable and what it leads to",
        garbage="check the cable, or try another format",
        not_answering="wait; if it stays so, plug the camera out and in",
        no_picture="try the same input with ffplay; `framebus doctor` tells who else has a camera",
    ),
    Medium.NETWORK: Remedies(
        silent="check that what is at that address runs and has pictures itself",
        garbage="check in a browser or with ffplay what that address sends",
        not_answering="wait; if it stays so, check that the host and port can be reached from here",
        no_picture="check that the host and port can be reached from here, the path, and the name "
        "and password in the URL; ffplay with the same input tells more",
    ),
    Medium.FILE: Remedies(
        silent="check that the recording plays and its disk can be read",
        garbage="check that the recording plays, with ffplay for one",
        not_answering="wait; if it stays so, check the disk or the network share that holds it",
        no_picture="check that the recording is there and plays, with ffplay for one",
    ),
    Medium.GENERATOR: Remedies(
        silent="wait for its next picture, or ask for a higher --fps",
        garbage="try another size",
        not_answering="wait: this machine is busy",
        no_picture="try the same input with ffplay",
    ),
}
