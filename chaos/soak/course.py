"""The course of a soak: faults are injected and watched until they are repaired, samples are taken, nothing is judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.soak.faults import Fault
from chaos.soak.pace import Pace
from chaos.soak.reasons import why_broken
from chaos.soak.sampling import Sample, sample
from chaos.soak.scene import Scene
from scripts.benchmarks.processes import EngineProcess

#: A fault that lasts longer than this counts as not repaired; it may still be repaired later.
PATIENCE_SECONDS = 180.0
_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Tally:
    """How one kind of fault went."""

    fault: Fault
    injected: int = 0
    #: Seconds until each was repaired, as far as this process saw it.
    repaired: list[float] = field(default_factory=list)
    #: Monotonic seconds since when it is broken; None: it is not.
    broken_since: float | None = None
    next_at: float = 0.0

    def overdue(self, now: float) -> bool:
        """Tell whether it is broken for too long."""
        return self.broken_since is not None and now - self.broken_since > PATIENCE_SECONDS

    def step(self, now: float, period_seconds: float) -> None:
        """Break it if that is due, or see whether it is repaired."""
        if self.broken_since is not None:
            if self.fault.is_repaired():
                self.repaired.append(now - self.broken_since)
                self.broken_since, self.next_at = None, now + period_seconds
        elif now >= self.next_at:
            self.fault.inject()
            self.injected += 1
            self.broken_since = now


@dataclass(slots=True)
class Course:
    """What happened so far; complete at any moment, so that a run that is interrupted can be reported."""

    pace: Pace
    tallies: list[Tally]
    samples: list[Sample] = field(default_factory=list)
    seconds: float = 0.0
    messages: int = 0
    #: Kinds of faults that were not repaired in time, with what the engine said of the first of each.
    overdue: dict[str, str] = field(default_factory=dict)

    def run(self, engine: EngineProcess, scene: Scene, seconds: float, goes_on: Callable[[Course], bool]) -> None:
        """Go on for so many seconds, or until `goes_on`, asked after each sample, says no. OSError if the engine is gone."""
        period = self.pace.scaled(self.pace.fault_seconds)
        began = time.monotonic()
        self._spread(began, period)
        sample_every = max(1.0, min(5.0, seconds / 100))
        next_sample = began
        while (now := time.monotonic()) < began + seconds:
            self.seconds, self.messages = now - began, scene.sink.taken
            for tally in self.tallies:
                tally.step(now, period)
                if tally.overdue(now) and tally.fault.name not in self.overdue:
                    self.overdue[tally.fault.name] = why_broken(scene.state, tally.fault.target)
            scene.sink.step(now)
            if now >= next_sample:
                self.samples.append(sample(engine.pid, engine.state, began))
                next_sample = now + sample_every
                if not goes_on(self):
                    return
            time.sleep(_LOOK_SECONDS)

    def _spread(self, now: float, period: float) -> None:
        """Begin each kind of fault at a time of its own."""
        for index, tally in enumerate(self.tallies):
            tally.next_at = now + period * index / len(self.tallies)
