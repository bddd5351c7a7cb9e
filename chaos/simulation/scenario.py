"""A scenario whose fault needs a kernel of its own, on the simulated port: an hour in which it comes again and again."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from chaos.simulation.faults import FAULTS, Fault
from chaos.simulation.life import Life, Verdict

#: What can be named in a scenario.
BY_NAME: dict[str, Fault] = {fault.__name__: fault for fault in FAULTS}


def lived_with(name: str, seed: int) -> Verdict:
    """Live one simulated hour of the whole engine with this fault alone; KeyError for one that nobody wrote."""
    with tempfile.TemporaryDirectory(prefix="zen-life-") as folder:
        return Life(seed, Path(folder) / "life", faults=(BY_NAME[name],)).run()


def sentences(name: str, verdict: Verdict) -> Sequence[str]:
    """Return what came of it, as people read it: every broken rule, or that none was."""
    if verdict.violations:
        return [f"on the simulated port: {violation}" for violation in verdict.violations]
    times = sum(name in event for event in verdict.events)
    acted = f"{verdict.actions} actions, {verdict.told} messages"
    return [
        f"on the simulated port, {name.replace('_', ' ')} {times} times in an hour: {acted}, no rule of safety was broken"
    ]
