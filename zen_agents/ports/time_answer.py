"""What time servers say; read only by what a configuration uses, and so beside the port."""

from __future__ import annotations

from typing import NamedTuple

#: Two servers that are so far apart cannot both be right.
_CONTRADICTION_SECONDS = 0.1


class TimeAnswer(NamedTuple):
    """What a time server said, compared with this host's clock."""

    ok: bool
    #: "" when ok, else one of: timeout, name_error, unreachable, unsynchronised, bad_answer.
    error: str
    #: By how much this host's clock is ahead of the server's; negative: behind.
    ahead_seconds: float = 0.0
    #: From question to answer: the offset is right to half of this.
    delay_seconds: float = 0.0


def median_ahead(answers: list[TimeAnswer]) -> float | None:
    """Return by how much the clock is ahead as most servers say; None if none answered, or two of two contradict.

    One server of three may be wrong and is outvoted.
    """
    ahead = sorted(answer.ahead_seconds for answer in answers if answer.ok)
    if not ahead:
        return None
    slack = max(answer.delay_seconds for answer in answers if answer.ok)
    if len(ahead) == 2 and ahead[1] - ahead[0] > _CONTRADICTION_SECONDS + slack:
        return None
    middle = len(ahead) // 2
    return ahead[middle] if len(ahead) % 2 else (ahead[middle - 1] + ahead[middle]) / 2
