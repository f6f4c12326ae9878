"""How long a camera behind a network is waited for: longer at each try in vain. Time comes in.

Nothing says beforehand that a camera gives a picture a minute, or takes a minute to give its first.
"""

from __future__ import annotations

from capture_daemon.sources.base import SourceError

FACTOR = 4.0
MOST_S = 90.0
PROOF = 10
"""Pictures over one connection after which it is known to be well."""
_SLOW_S = 1.0
"""An interval from which on a camera counts as slow."""
_INTERVALS = 1.5
"""An interval is not always the same."""
_MOST_OF_IT = 0.8
LOGIN_FIRST_S = 30.0
LOGIN_MOST_S = 300.0


class AdaptiveTimeout:
    """Of one source, over all its tries. Times are time.monotonic(), seconds."""

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self._tries = 0
        """How many were waited out in vain."""
        self._interval_s = 0.0
        """Between pictures, as it was over an earlier connection; 0: quick, or unknown."""
        self.pictures = 0
        """How many came over the present connection."""
        self._first_picture_s = 0.0
        self._began_s: float | None = None
        """When the present try began; None while there is none."""

    def begin(self, now_s: float) -> None:
        """Another try begins."""
        self._began_s = now_s
        self.pictures = 0

    def end(self, now_s: float) -> None:
        """The present try, if there is one, is over: it counts if it was waited out in vain."""
        began_s, self._began_s = self._began_s, None
        waited = began_s is not None and now_s - began_s >= _MOST_OF_IT * self.response_s
        if waited and not self.proved:
            self._tries += 1

    def saw(self, now_s: float) -> None:
        """A picture came."""
        if not self.pictures:
            self._first_picture_s = now_s
        self.pictures += 1
        if self.pictures == PROOF:
            self._tries = 0
        if 2 <= self.pictures <= PROOF:
            mean_s = (now_s - self._first_picture_s) / (self.pictures - 1)
            if mean_s >= _SLOW_S or self.pictures == PROOF:
                self._interval_s = mean_s if mean_s >= _SLOW_S else 0.0

    @property
    def proved(self) -> bool:
        """Whether the present connection has given enough pictures."""
        return self.pictures >= PROOF

    @property
    def response_s(self) -> float:
        """How long the present try waits for an answer or a picture."""
        grown_s = self._first_s * FACTOR ** min(self._tries, 8)
        return min(grown_s, max(MOST_S, self._first_s))

    @property
    def picture_s(self) -> float:
        """The same for a picture, given how far apart they came before."""
        return max(self.response_s, _INTERVALS * self._interval_s)


class LoginBackoff:
    """Keeps a wrong password from being shown over and over: cameras lock an account after a few.

    Whoever mends it names another source, or asks for a restart; both make another one of these.
    """

    def __init__(self) -> None:
        self._refusal: SourceError | None = None
        self._again_s = 0.0
        self._pause_s = 0.0

    def check(self, now_s: float) -> None:
        """Raise the refusal again if it is too early for another."""
        if self._refusal is not None and now_s < self._again_s:
            raise self._refusal.again()

    def failed(self, error: SourceError, now_s: float) -> None:
        """Take note of why a try failed."""
        if error.code == "unauthorized":
            self._pause_s = min(2 * self._pause_s or LOGIN_FIRST_S, LOGIN_MOST_S)
            self._refusal, self._again_s = error, now_s + self._pause_s

    def worked(self) -> None:
        """The server lets us in."""
        self._refusal, self._pause_s = None, 0.0
