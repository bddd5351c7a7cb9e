"""Runs files of rule tests: read, checked against their configuration, played and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from zen_agents.dataclass import dataclass
from zen_agents.model.pattern import Pattern
from zen_agents.rehearsal.expectations import Failure, crosscheck, judge
from zen_agents.rehearsal.rule_tests import Written, read_rule_tests
from zen_agents.rehearsal.trial import Event, declared, play
from zen_agents.settings.diagnostics import Diagnostic
from zen_agents.settings.loader import Loaded, load_tree
from zen_agents.settings.patterns import NamedPattern, sampled_patterns


@dataclass(frozen=True, slots=True)
class Result:
    """One test that was played."""

    path: Path
    name: str
    #: Empty: it passed.
    failures: Sequence[Failure]
    #: Everything that came of it.
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Broken:
    """A file whose tests cannot be played: it, or its configuration, is not valid."""

    path: Path
    diagnostics: Sequence[Diagnostic]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of all files."""

    results: Sequence[Result]
    broken: Sequence[Broken]
    #: The patterns of their configurations that have samples, each once.
    sampled: Sequence[NamedPattern]


async def run_files(
    paths: Sequence[Path], environ: Mapping[str, str], *, only: Pattern, config: Callable[[], Path]
) -> Ran:  # fmt: skip
    """Play the tests of these files whose `FILE: name` the pattern finds.

    `config` is asked for a configuration where a file names none; what it raises goes through.
    """
    results: list[Result] = []
    broken: list[Broken] = []
    sampled: dict[Path, Sequence[NamedPattern]] = {}
    for path in paths:
        written, diagnostics = read_rule_tests(path)
        if written is None:
            broken.append(Broken(path, diagnostics))
            continue
        named = written.file.config
        read = path.parent / named if named is not None else config()
        loaded, tree = load_tree([read], environ)
        if loaded.settings is None:
            broken.append(Broken(path, loaded.errors))
        elif unknown := crosscheck(written, declared(loaded)):
            broken.append(Broken(path, unknown))
        else:
            results += await _play_all(written, loaded, only)
            sampled.setdefault(read.resolve(), sampled_patterns(tree))
    return Ran(results, broken, [pattern for patterns in sampled.values() for pattern in patterns])


async def _play_all(written: Written, loaded: Loaded, only: Pattern) -> list[Result]:
    results = []
    for index, test in enumerate(written.file.tests):
        if not only.search(f"{written.path.name}: {test.name}"):
            continue
        events = await play(test, loaded)
        failures = judge(test, index, written, events)
        results.append(Result(written.path, test.name, failures, events))
    return results
