"""Judges what was seen of one run: everything that is not as expected is named, one sentence each."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.engines.base import Contender, Performed
from chaos.engines.zen import STATE, Zen
from chaos.host import DisposableHost
from chaos.invariants import violations
from chaos.kinds import Right
from chaos.result import Outcome, Result
from chaos.scenario import Expectation

#: What must hold after every run: asks what is left of host and contender, returns what is broken, one sentence each.
Oracle = Callable[[DisposableHost, Contender], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a run, before anybody judges it."""

    actions: Sequence[Performed]
    pages: tuple[str, ...]
    repaired: bool
    #: Whether the fault is gone in the end, whoever did it.
    is_gone: bool
    harm: tuple[str, ...]


def rules_hold(host: DisposableHost, contender: Contender) -> Sequence[str]:
    """Return every rule of safety that the record of our engine shows as broken; others keep no such record."""
    if not isinstance(contender, Zen):
        return ()
    with tempfile.TemporaryDirectory(prefix="chaos-record-") as kept:
        # SQLite follows /proc/PID/root to the root of whoever asks, so it has to be a copy.
        copy = ["cp", "--archive", f"/proc/{host.pid}/root{STATE}/.", kept]
        subprocess.run(copy, check=True, capture_output=True)
        return [f"broken: {violation}" for violation in violations(Path(kept))]


def judged(named: Result, expected: Expectation, seen: Seen, contender: Contender, amiss: Sequence[str]) -> Result:
    """Return the result; `amiss` is what else was found wrong."""
    unnecessary = tuple(contender.unnecessary(expected, seen.actions))
    harm = seen.harm
    if not expected.actions and seen.is_gone:
        harm = (*harm, "what was to be left alone was undone")
    because = (
        *_shortfalls(expected, seen, len(seen.actions) - len(unnecessary), contender.fewest_actions(expected)),
        *(f"unnecessary: {done.action} {done.target}" for done in unnecessary),
        *harm,
        *amiss,
    )
    return replace(
        named, outcome=Outcome.FAILED if because else Outcome.PASSED, because=because, repaired=seen.repaired,
        actions=tuple(seen.actions), unnecessary=unnecessary, harm=harm, pages=seen.pages, pages_needed=expected.pages,
    )  # fmt: skip


def _shortfalls(expected: Expectation, seen: Seen, needed: int, fewest: int) -> list[str]:
    found = []
    if expected.outcome is Right.REPAIRED and not seen.repaired:
        found.append(f"not repaired within {expected.within.total_seconds():g} s")
    elif expected.outcome is Right.REPAIRED and needed < fewest:
        found.append(f"repaired by {needed} of the {fewest} actions that it takes")
    if len(seen.pages) != expected.pages:
        found.append(f"people were told {len(seen.pages)} times, to be told {expected.pages} times")
    return found
