"""Python environments of a simulated host: what they hold, which versions do not work, and what was there before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zen_agents.errors import HostError, StalePlanError
from zen_agents.model.environment import (
    Environment,
    Holding,
    Pin,
    Resolution,
    Step,
    Switched,
    Trial,
    TrialReport,
    TrialStep,
    Wanted,
)


@dataclass(slots=True)
class SimulatedEnvironments:
    """All environments by their directory."""

    #: Directory -> package -> version.
    holds: dict[str, dict[str, str]] = field(default_factory=dict)
    #: `NAME==VERSION` of what fails its trial.
    broken: set[str] = field(default_factory=set)
    #: Directory -> why nothing can be resolved there.
    conflicts: dict[str, str] = field(default_factory=dict)
    #: `NAME==VERSION` -> how far a step to it goes; a fix where it is not here.
    kinds: dict[str, str] = field(default_factory=dict)
    #: How often what is in a directory was exchanged.
    _turns: dict[str, int] = field(default_factory=dict)
    #: Action -> what it built, or what was there before it.
    _staged: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    #: Actions whose old environment is kept, with what each one left.
    kept: dict[str, str] = field(default_factory=dict)

    def resolve(self, environment: Environment, wanted: Sequence[Wanted]) -> Resolution:
        """Return the wanted versions themselves as what there is."""
        now = self._at(environment.venv)
        if conflict := self.conflicts.get(environment.venv, ""):
            return Resolution(freeze=_freeze(now), conflict=conflict)
        steps = [
            Step(each.name, now[each.name], each.least, self.kinds.get(f"{each.name}=={each.least}", "security"), each.fixes)
            for each in wanted if now.get(each.name, each.least) != each.least
        ]  # fmt: skip
        pins = tuple(Pin(step.name, step.wanted, (f"sha256:{'0' * 64}",)) for step in steps)
        return Resolution(tuple(steps), pins, _freeze(now))

    def holding(self, venv: str) -> Holding:
        """Return what is there."""
        return Holding(f"0:{self._turns.get(venv, 0)}:{venv}", _freeze(self._at(venv)))

    def kept_holding(self, id: str) -> tuple[str, Holding]:
        """Return what an action replaced."""
        if id not in self.kept:
            raise StalePlanError(f"what was there before {id} is not kept any more; nothing was done")
        venv, before = self._staged[id]
        return venv, Holding(f"0:{self._turns[venv] - 1}:{venv}", _freeze(before))

    def try_out(self, id: str, trial: Trial) -> TrialReport:
        """Build what a trial says, if nothing of it is broken."""
        venv = trial.environment.venv
        now = self._at(venv)
        new = {name: version for name, version in now.items() if name not in trial.removes}
        new |= {pin.name: pin.version for pin in trial.pins}
        bad = next((f"{pin.name}=={pin.version}" for pin in trial.pins if f"{pin.name}=={pin.version}" in self.broken), "")
        step = TrialStep("imports", ("python",), 1 if bad else 0, 0.1, f"{bad} cannot be imported" if bad else "")
        if not bad:
            self._staged[id] = venv, new
        return TrialReport((step,), _freeze(now), _freeze(new))

    def switch(self, id: str) -> Switched:
        """Exchange what was built with what is there."""
        venv, new = self._staged[id]
        before = self.holding(venv).identity
        self._staged[id], self.holds[venv] = (venv, self._at(venv)), new
        self._turns[venv] = self._turns.get(venv, 0) + 1
        self.kept[id] = self.holding(venv).identity
        return Switched(id, self.kept[id], before)

    def switch_back(self, id: str) -> None:
        """Exchange them again."""
        venv, _ = self.kept_holding(id)
        if self.holding(venv).identity != self.kept.pop(id):
            raise StalePlanError(f"{venv} is not what {id} left there any more; nothing was done")
        self.holds[venv] = self._staged.pop(id)[1]
        self._turns[venv] -= 1

    def _at(self, venv: str) -> dict[str, str]:
        if venv not in self.holds:
            raise HostError(f"{venv} is not there; nothing was done")
        return self.holds[venv]


def _freeze(holds: Mapping[str, str]) -> str:
    return "".join(f"{name}=={version}\n" for name, version in sorted(holds.items()))
