"""What a study of a log has to tell of one question."""

from __future__ import annotations

from collections.abc import Mapping

from zen_agents.dataclass import dataclass

#: So many things are named, of so many characters each.
MOST_NAMED, MOST_CHARACTERS = 5, 300


@dataclass(frozen=True, slots=True)
class Told:
    """The answer. All texts are untrusted."""

    is_raised: bool
    #: Of how many things it is so.
    value: float
    #: One sentence.
    detail: str
    #: What it rests on, by a short name: lines, kinds of lines, operations.
    facts: Mapping[str, str]
