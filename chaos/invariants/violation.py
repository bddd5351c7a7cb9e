"""What the oracle answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule, with what shows it."""

    #: `R16`, or `limits` and `ledger` for what safety.md demands without a number.
    rule: str
    #: One sentence.
    what: str
    #: Ids and numbers of the entries that show it.
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f" [{', '.join(self.evidence)}]" if self.evidence else ""
        return f"{self.rule}: {self.what}{shown}"
