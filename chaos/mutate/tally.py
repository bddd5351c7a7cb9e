"""How many mutants of each module were killed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaos.mutate.equivalent import Equivalent
from chaos.mutate.survivors import Mutant

#: The share of a module's mutants, equivalent ones left out, that its tests have to notice.
GOAL = 0.9
_NOT_RUN = frozenset({"not checked", "check was interrupted by user"})


@dataclass(frozen=True, slots=True)
class Tally:
    """One module's mutants, counted."""

    module: str
    mutants: int
    killed: int
    equivalent: int
    not_run: int

    @property
    def survived(self) -> int:
        """How many a test should have noticed and did not."""
        return self.mutants - self.killed - self.equivalent - self.not_run

    @property
    def share(self) -> float:
        """The killed ones of those that can be killed and were run; 1.0 where there are none."""
        killable = self.killed + self.survived
        return self.killed / killable if killable else 1.0

    @property
    def met(self) -> bool:
        """Whether all were run and enough of them killed."""
        return self.share >= GOAL and not self.not_run


def tallied(all_mutants: Iterable[Mutant], changes: Mapping[Mutant, str], known: Sequence[Equivalent]) -> list[Tally]:
    """Return the count of each module; `changes` says what each survivor changes."""
    equivalent = {(each.module, each.change) for each in known}
    by_module: dict[str, list[Mutant]] = {}
    for mutant in all_mutants:
        by_module.setdefault(mutant.module, []).append(mutant)
    return [
        Tally(
            module,
            len(found),
            sum(each.killed for each in found),
            sum((module, changes.get(each)) in equivalent for each in found if not each.killed),
            sum(each.status in _NOT_RUN for each in found),
        )
        for module, found in by_module.items()
        if found
    ]
