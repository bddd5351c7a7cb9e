"""Results of rule tests as JUnit XML, the form that pipelines read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from zen_agents.rehearsal.rule_testing import Broken, Result
from zen_agents.report.junit_xml import Case, Suite, document
from zen_agents.settings.diagnostics import Diagnostic


def junit(results: Sequence[Result], broken: Sequence[Broken], samples: Mapping[str, Sequence[Diagnostic]]) -> str:
    """Return one suite a file; a file that is not valid is one test with an error; each pattern's samples are a test."""
    return document("zen-agents test rules", _suites(results, broken, samples))


def _suites(
    results: Sequence[Result], broken: Sequence[Broken], samples: Mapping[str, Sequence[Diagnostic]]
) -> Iterator[Suite]:
    for path, group in groupby(results, key=lambda result: str(result.path)):
        yield Suite(path, [Case(each.name, "\n".join(map(str, each.failures))) for each in group])
    if samples:
        told = {
            name: "\n".join(f"{each.place.short}: {each.message}" for each in faults) for name, faults in samples.items()
        }
        yield Suite("samples of patterns", [Case(name, faults) for name, faults in told.items()])
    for each in broken:
        text = "\n".join(f"{diagnostic.place}: {diagnostic.code} {diagnostic.message}" for diagnostic in each.diagnostics)
        yield Suite(str(each.path), [Case("the file is valid", error=text)])
