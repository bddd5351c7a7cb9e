"""All that a report shows, put together once for both of its forms."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.counts import Reached
from chaos.report.card import Comparison, EngineCard, comparisons, engine_card, engines_of
from chaos.report.machine import machine
from chaos.result import Result
from chaos.scenario import Scenario
from chaos.variants.catalog import VARIANTS

#: Of each variant: what is right then.
RIGHT_ANSWERS: Mapping[str, str] = {variant.name: variant.right_answer for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class Contents:
    """The results with what follows from them."""

    results: Sequence[Result]
    scenarios: Mapping[str, Scenario]
    cards: Sequence[EngineCard]
    compared: Sequence[Comparison]
    machine: Mapping[str, str]
    written_at: str
    #: What the long campaigns have reached, if they were run for this report.
    reached: Sequence[Reached] = ()

    @property
    def plain(self) -> Sequence[Result]:
        """Runs in which nothing else went wrong."""
        return [result for result in self.results if not result.variant]

    @property
    def varied(self) -> Sequence[Result]:
        """Runs in which something else went wrong as well."""
        return [result for result in self.results if result.variant]

    @property
    def asking(self) -> frozenset[str]:
        """The scenarios in which a person has to agree before this engine acts: their times are also that person's."""
        return frozenset(name for name, scenario in self.scenarios.items() if scenario.asks_people)

    @property
    def at_least(self) -> Mapping[str, str]:
        """Why its repair takes long whoever does it, of each scenario that says so."""
        return {name: scenario.at_least for name, scenario in self.scenarios.items() if scenario.at_least}

    def title(self, name: str) -> str:
        """Return what a scenario is called where people read it."""
        scenario = self.scenarios.get(name)
        return scenario.title if scenario else name

    def grouped(self) -> Mapping[str, Mapping[str, Sequence[Result]]]:
        """Return scenario -> contender -> its plain runs, in the order of the published list."""
        found: dict[str, dict[str, list[Result]]] = {}
        for result in sorted(self.plain, key=_in_the_list):
            found.setdefault(result.scenario, {}).setdefault(result.engine, []).append(result)
        return found


def contents(
    results: Sequence[Result], scenarios: Mapping[str, Scenario], reached: Sequence[Reached] = ()
) -> Contents:  # fmt: skip
    """Return what a report of these results shows, with facts of this machine and moment."""
    plain = [result for result in results if not result.variant]
    return Contents(
        results, scenarios, [engine_card(engine, results) for engine in engines_of(plain)], comparisons(results),
        machine(), time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), reached,
    )  # fmt: skip


def _in_the_list(result: Result) -> tuple[int, int, str]:
    number = result.number
    if number.isdigit():
        return 0, int(number), result.scenario
    return (1, int(number[1:]), result.scenario) if number[1:].isdigit() else (2, 0, result.scenario)
