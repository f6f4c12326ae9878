"""The control methods: what each does, what it takes, and who may call it. Pure.

docs/control.md describes them for people. A method is added here, in the daemon's
`control/handlers.py` and on that page; tests fail until all three agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from framebus.contract.parameters import Parameter, of, one_of, or_null, text
from framebus.contract.words import DEVICE_LEVEL, Rung
from framebus.errors import UsageError
from framebus.spelling import nearest, quoted
from framebus.units import frame_rate, frame_size

LENT_MAX_S: Final = 24 * 3600.0
WANTED_MAX_S: Final = 60.0
"""How long a lease of demand lasts at most, unless it is renewed."""
INCIDENTS_MAX: Final = 100
"""Incidents that a daemon keeps in memory, and may be asked for."""

_SOURCE: Final = "a text, as in test, v4l2:DEVICE, http://URL"
RESETS: Final = tuple(rung for rung in Rung if rung in DEVICE_LEVEL)


class Method(NamedTuple):
    """One control method."""

    name: str
    does: str
    """For people, in a line."""
    takes: tuple[Parameter, ...] = ()
    takes_controls: bool = False
    """Its parameters are the camera's controls: only that camera knows their names and values."""
    wants: str = ""
    """What is said to a call without any parameter, where that is wrong."""
    query: bool = False
    """Whether those get an answer who may ask, and not command."""
    http: bool = False
    """Whether it may be called over HTTP, with the parameters that say so, or with controls."""

    def checked(self, params: Mapping[str, object]) -> dict[str, object]:
        """Return parameters as handlers get them. Raises UsageError."""
        known = [each.name for each in self.takes]
        if not params and self.wants:
            it_takes = f" It takes {', '.join(known)}" if known else ""
            raise UsageError(f"{self.wants}{it_takes}")
        if self.takes_controls:
            return dict(params)
        for name in params:
            if name not in known:
                raise UsageError(self._unknown(name, known))
        for each in self.takes:
            if each.required and each.name not in params:
                raise UsageError(f"{self.name} wants {each.name}: {each.says}")
        given = {
            each.name: each.checked(params[each.name]) for each in self.takes if each.name in params
        }
        defaults = {each.name: each.default for each in self.takes if each.default is not None}
        return defaults | given

    def _unknown(self, name: str, known: list[str]) -> str:
        if not known:
            return f"{self.name} takes no parameters"
        # A source that is typed in the wrong place is not quoted.
        what = f"no parameter {quoted(name)}" if quoted(name) else "not this parameter"
        return f"{self.name} has {what}{nearest(name, known)}"


_ALL: Final = (
    Method("status", "state, cause, source, frames, ring", query=True, http=True),
    Method("start", "open the source and capture", http=True),
    Method("stop", "close the source; the daemon and its viewers stay", http=True),
    Method("restart", "close the source and open it again", http=True),
    Method(
        "configure",
        "change size=1280x720 fps=30 source=test fallback=test",
        takes=(
            # A source can run a program, read a file and connect to anywhere: never over HTTP.
            Parameter("source", _SOURCE, of(str)),
            Parameter("fallback", f"{_SOURCE}, or null for none", or_null(of(str))),
            Parameter(
                "size",
                'a text such as "1280x720", or null for the source\'s own',
                or_null(of(str, read=frame_size)),
                unit="pixels",
                http=True,
            ),
            Parameter(
                "fps",
                "a number such as 30, or null for the source's own",
                or_null(of(int, float, read=frame_rate)),
                unit="frames a second",
                http=True,
            ),
        ),
        wants="configure what?",
        http=True,
    ),
    Method("formats", "frame sizes and rates that the camera offers", http=True),
    Method("controls", "brightness, exposure and so on, with their ranges", http=True),
    Method(
        "set_controls",
        "change controls: brightness=10 auto_exposure=1",
        takes_controls=True,
        wants='name the controls to set, as in {"brightness": 10}',
        http=True,
    ),
    Method(
        "reset",
        "get a camera back: --rung usb-reset, or another below",
        takes=(
            Parameter(
                "rung",
                f"one of {', '.join(RESETS)}",
                one_of(RESETS),
                required=True,
                http=True,
            ),
        ),
        http=True,
    ),
    Method("holders", "which processes have the camera's device"),
    Method(
        "incidents",
        "losses of frames: why, how long, what helped; limit=5",
        takes=(
            Parameter(
                "limit",
                f"a number from 1 to {INCIDENTS_MAX}",
                of(int, fits=lambda value: 1 <= value <= INCIDENTS_MAX),
                unit="incidents",
                default=20,
            ),
        ),
        query=True,
    ),
    Method(
        "lend",
        "the camera for another program: lend --for 60s -- COMMAND",
        takes=(
            Parameter(
                "seconds",
                f"a number up to {LENT_MAX_S:g}",
                of(int, float, fits=lambda value: 0 < value <= LENT_MAX_S, read=float),
                unit="s",
                required=True,
            ),
            Parameter(
                "to",
                "a text that names who has the camera meanwhile",
                text(200),
                default="another program",
            ),
            Parameter("lease", "the id of the lease that is to last longer", text(64)),
        ),
    ),
    Method(
        "give_back",
        "the camera that was lent: lease=ID, as lend has answered",
        takes=(Parameter("lease", "the id that lend has answered", text(64), required=True),),
    ),
    Method(
        "wake",
        "frames are wanted for a while: an idle camera is opened",
        takes=(
            Parameter(
                "seconds",
                f"a number up to {WANTED_MAX_S:g}",
                of(int, float, fits=lambda value: 0 < value <= WANTED_MAX_S, read=float),
                unit="s",
                default=15.0,
            ),
            Parameter(
                "lease",
                "the name of the caller's lease, which the next call renews",
                text(64),
                default="wake",
            ),
        ),
        query=True,
    ),
    Method("renew", "new daemon process (an upgrade), while the camera streams on"),
    Method("shutdown", "end the daemon; `framebus up` or systemd then starts a new one"),
)

METHODS: Final[Mapping[str, Method]] = {method.name: method for method in _ALL}
"""By name, in the order in which they are listed for people."""
QUERIES: Final = tuple(name for name, method in METHODS.items() if method.query)
OVER_HTTP: Final = tuple(name for name, method in METHODS.items() if method.http)
