"""How long a camera behind a network is waited for: longer at each try in vain. Time comes in.

Nothing says beforehand that a camera gives a picture a minute, or takes a minute to give its first.
"""

from __future__ import annotations

FACTOR = 3.0
MOST_S = 90.0
PROOF = 10
"""Pictures over one connection after which it is known to be well."""
_SLOW_S = 1.0
"""An interval from which on a camera counts as slow."""
_INTERVALS = 3


class Patience:
    """Of one source, over all its tries. Times are time.monotonic(), seconds."""

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self._tries = 0
        self._interval_s = 0.0
        """Between pictures, as it was over an earlier connection; 0: quick, or unknown."""
        self._pictures = 0
        self._began_s = 0.0

    def begin(self) -> None:
        """Another try begins."""
        self._tries += 1
        self._pictures = 0

    def saw(self, now_s: float) -> None:
        """A picture came."""
        if not self._pictures:
            self._began_s = now_s
        self._pictures += 1
        if self._pictures == PROOF:
            self._tries = 0
        if 2 <= self._pictures <= PROOF:
            mean_s = (now_s - self._began_s) / (self._pictures - 1)
            if mean_s >= _SLOW_S or self._pictures == PROOF:
                self._interval_s = mean_s if mean_s >= _SLOW_S else 0.0

    @property
    def proved(self) -> bool:
        """Whether the present connection has given enough pictures."""
        return self._pictures >= PROOF

    @property
    def answer_s(self) -> float:
        """How long the present try waits for an answer or a picture."""
        grown_s = self._first_s * FACTOR ** min(max(self._tries, 1) - 1, 8)
        return min(grown_s, max(MOST_S, self._first_s))

    @property
    def picture_s(self) -> float:
        """The same for a picture, given how far apart they came before."""
        return max(self.answer_s, _INTERVALS * self._interval_s)
