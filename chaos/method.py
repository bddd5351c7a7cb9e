"""Carries out a scenario's method: each step in its order, a repeated fault once more each time it had been repaired."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from chaos.engines.base import Contender
from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.injection import inject
from chaos.scenario import Injection, OperatorStep, Repeat, Scenario
from chaos.waiting import NotInTimeError, pause, wait_until


@dataclass(frozen=True, slots=True)
class Strikes:
    """The monotonic moments at which something went wrong, in order; at least one."""

    moments: Sequence[float]

    @property
    def first(self) -> float:
        return self.moments[0]

    @property
    def second(self) -> float:
        """When it went wrong once more; before everything if it did not."""
        return self.moments[1] if len(self.moments) > 1 else -inf

    @property
    def last(self) -> float:
        return self.moments[-1]


def carry_out(scenario: Scenario, faults: Sequence[Fault], host: DisposableHost, contender: Contender) -> Strikes:
    """Do every step; `faults` are those of the injections. A control is struck by nothing, at the moment of the call."""
    moments: list[float] = []
    waiting = iter(faults)
    for step in scenario.method:
        pause(step.after.total_seconds())
        if isinstance(step, OperatorStep):
            contender.operate(step.operator.get(contender.name, ()))
        else:
            moments += _injected(step, next(waiting), host)
    return Strikes(moments or [time.monotonic()])


def _injected(step: Injection, fault: Fault, host: DisposableHost) -> list[float]:
    moments = [inject(fault, host)]
    for _ in range(step.repeat.times - 1 if step.repeat else 0):
        assert step.repeat is not None  # noqa: S101 - it is counted just above
        if not _comes_back(step.repeat, lambda: fault.is_gone(host)):
            break
        moments.append(inject(fault, host))
    return moments


def _comes_back(repeat: Repeat, is_gone: Callable[[], bool]) -> bool:
    """Wait until it was repaired and `every` later; False if it stays, or breaks again by itself."""
    try:
        wait_until(is_gone, "a repair", seconds=repeat.within.total_seconds())
    except NotInTimeError:
        return False
    pause(repeat.every.total_seconds())
    return is_gone()
