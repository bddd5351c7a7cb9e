"""A share of counted things, with how far it can be trusted."""

from __future__ import annotations

from math import sqrt

from zen_agents.dataclass import dataclass

#: Of fewer than this a share says nothing.
FEWEST = 10
#: 95 % of a normal distribution lie within so many standard deviations.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many; 0 of 0 is no rate at all."""

    times: int
    of: int

    @property
    def share(self) -> float | None:
        """`times / of` from 0 to 1; None of nothing."""
        return self.times / self.of if self.of else None

    @property
    def is_few(self) -> bool:
        """True if there are too few to judge by (`FEWEST`)."""
        return self.of < FEWEST

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies with 95 % confidence: Wilson's score interval; (0, 1) of nothing.

        centre = (p + z^2/2n) / (1 + z^2/n), half width = z/(1 + z^2/n) * sqrt(p(1-p)/n + z^2/4n^2), z = 1.96.
        E. B. Wilson, Probable Inference, Journal of the American Statistical Association 22 (1927).
        """
        if not self.of:
            return 0.0, 1.0
        n, p, square = self.of, self.times / self.of, _Z * _Z
        centre = (p + square / (2 * n)) / (1 + square / n)
        half = _Z / (1 + square / n) * sqrt(p * (1 - p) / n + square / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)
