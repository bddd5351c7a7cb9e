"""Many runs: which ones, carrying each out, and their results as lines of JSON, so that a long one goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chaos import experiment
from chaos.engines.base import Contender
from chaos.engines.catalog import CONTENDERS
from chaos.engines.zen import Zen
from chaos.host import HostUnavailableError
from chaos.injection import NotDisposableError
from chaos.result import Outcome, Result, named_result
from chaos.scenario import Scenario
from chaos.variants.base import Variant
from chaos.variants.catalog import VARIANTS

_RESULTS = "results.jsonl"

#: Scenario, contender, variant, seed.
Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """One scenario with one contender, one variant and one seed."""

    scenario: Scenario
    contender: type[Contender]
    variant: type[Variant]
    seed: int

    @property
    def key(self) -> Key:
        return (self.scenario.name, self.contender.name, self.variant.name, self.seed)


def planned(
    scenarios: Sequence[Scenario], contenders: Sequence[type[Contender]], variants: Sequence[type[Variant]],
    seeds: Sequence[int],
) -> Iterator[Run]:  # fmt: skip
    """Yield all of them, scenario by scenario; of the variants those that a scenario names and a contender takes."""
    for scenario in scenarios:
        for contender in contenders:
            for variant in variants:
                if variant is Variant or (variant.kind in scenario.variants and contender.takes_variants):
                    yield from (Run(scenario, contender, variant, seed) for seed in seeds)


def full(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> Iterator[Run]:
    """Yield everything: every contender with every seed, and every variant with the first."""
    for scenario in scenarios:
        yield from planned([scenario], CONTENDERS, [Variant], seeds)
        yield from planned([scenario], [Zen], VARIANTS, seeds[:1])


def carried_out(run: Run) -> Result:
    """Run it; where the bench itself fails that is the result, so that others go on.

    Raises HostUnavailableError and NotDisposableError: then nothing can, or may, be run here.
    """
    try:
        return experiment.run(run.scenario, run.contender, variant=run.variant, seed=run.seed)
    except (HostUnavailableError, NotDisposableError):
        raise
    except Exception as error:  # a fault may stumble over anything, and no other run is the worse for it
        said = f"{type(error).__name__}: {error} {getattr(error, 'stderr', None) or ''}".strip()
        named = named_result(run.scenario, run.contender, run.variant, run.seed)
        return replace(named, outcome=Outcome.BROKEN, because=(f"the bench could not judge it: {said}",))


def keep(folder: Path, result: Result) -> None:
    """Add a result to the file of a report."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _RESULTS).open("a", encoding="utf-8") as out:
        out.write(json.dumps(result.as_json()) + "\n")


def results_of(folder: Path) -> dict[Key, Result]:
    """Return what a report has so far; what the bench could not judge is to be run again, so it is not among it."""
    path = folder / _RESULTS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    # The last line may be torn by whatever ended it.
    results = [Result.from_json(json.loads(line)) for line in lines if line.endswith("\n")]
    return {
        (result.scenario, result.engine, result.variant, result.seed): result
        for result in results
        if result.outcome is not Outcome.BROKEN
    }
