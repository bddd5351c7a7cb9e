"""What of a run is left: mutants that were not run yet, and survivors, which a new test may notice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaos.mutate.survivors import Mutant


def remaining(mutants: Iterable[Mutant]) -> Sequence[str]:
    """Return mutmut's patterns for all mutants that no test has noticed.

    A function of which nothing was noticed is one pattern: mutmut compares each name with each of them.
    """
    by_function: dict[str, list[Mutant]] = {}
    for each in mutants:
        by_function.setdefault(each.function, []).append(each)
    patterns: list[str] = []
    for function, found in by_function.items():
        left = [each.name for each in found if not each.killed]
        patterns += [f"{function}__mutmut_*"] if len(left) == len(found) else left
    return patterns


def never_run(mutants: Iterable[Mutant]) -> Sequence[str]:
    """Return mutmut's patterns for all mutants that were not run yet."""
    return remaining(each for each in mutants if each.killed or each.status == "not checked")
