"""How bad a weakness is: the score that its CVSS vector has, or the word of whoever published it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from zen_agents.dataclass import dataclass


class Rating(StrEnum):
    """The qualitative scale of CVSS, best first; UNKNOWN if nobody says."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return its place on the scale; what is unknown stands above what is low, since it may be anything."""
        return _ORDER.index(self)


_ORDER: Final = (Rating.LOW, Rating.UNKNOWN, Rating.MEDIUM, Rating.HIGH, Rating.CRITICAL)
#: From this score on (CVSS 3.1, table 14; version 4 has the same).
_LEAST: Final = ((9.0, Rating.CRITICAL), (7.0, Rating.HIGH), (4.0, Rating.MEDIUM))
#: Words of databases that are not CVSS's own.
_WORDS: Final = {"moderate": Rating.MEDIUM, "important": Rating.HIGH}


@dataclass(frozen=True, slots=True)
class Severity:
    """A rating, and the vector and its base score (0 to 10) if there is a vector."""

    rating: Rating = Rating.UNKNOWN
    vector: str = ""
    score: float | None = None


def severity_of(vectors: Sequence[str], word: str = "") -> Severity:
    """Return what the newest of these CVSS vectors says; without one that can be read, what the word says.

    Raises ModuleNotFoundError if there is a vector and nothing to read it with (extra `packages`).
    """
    for vector in sorted(vectors, reverse=True):
        if (score := _score(vector)) is not None:
            rating = next((rating for least, rating in _LEAST if score >= least), Rating.LOW)
            return Severity(rating, vector, score)
    lowered = word.lower()
    known = lowered in Rating.__members__.values()
    return Severity(Rating(lowered) if known else _WORDS.get(lowered, Rating.UNKNOWN))


@lru_cache(maxsize=4096)
def _score(vector: str) -> float | None:
    """Return the base score; many advisories have the same vector."""
    from cvss import CVSS2, CVSS3, CVSS4  # noqa: PLC0415  14 ms, where some advisory has a vector
    from cvss.exceptions import CVSSError  # noqa: PLC0415  as above

    version = CVSS4 if vector.startswith("CVSS:4") else CVSS3 if vector.startswith("CVSS:3") else CVSS2
    try:
        return float(version(vector).base_score)
    except CVSSError:
        return None
