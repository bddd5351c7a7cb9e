"""Re-enables agents after a rollback, one at a time, and goes back to observing on a regression."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.engine.rollback import PAUSE
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.errors import StoreError, UsageError
from zen_agents.model.duration import duration
from zen_agents.model.incident import Incident
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake

log = logging.getLogger("zen_agents.stages")

#: Under this name the store keeps how far a staged resume has come, over restarts.
_FACT = "staged_resume"


@dataclass(frozen=True, slots=True)
class Trial:
    """One agent that may act again, and is watched."""

    agent: str
    #: Steady time.
    since: float
    bake_seconds: float
    by: str
    #: Agents that come after it, in order.
    waiting: tuple[str, ...]


class Stages:
    """One agent may act again, then the next: each once the one before had no new incident for its bake time."""

    def __init__(self, parts: Parts, agents: Callable[[], Sequence[RunningAgent]], lifted: Callable[[Reason], None]) -> None:
        #: `lifted` has everything decided anew.
        self._parts, self._agents, self._lifted = parts, agents, lifted
        self.trial: Trial | None = None

    def recall(self) -> None:
        """Go on where an earlier engine was; what cannot be read leaves the agents paused that are."""
        try:
            kept = self._parts.store.get(_FACT)
            if kept:
                told = json.loads(kept)
                self.trial = Trial(**{**told, "waiting": tuple(told["waiting"])})
        except (StoreError, ValueError, TypeError, KeyError) as error:
            log.error("how far the staged resume came cannot be read: %s", error)

    def begin(self, who: Principal, bake_seconds: float, reason: str) -> Trial:
        """Let the first paused agent act again; UsageError if none is paused, or one is on trial already."""
        if self.trial is not None:
            raise UsageError(f"{self.trial.agent} is on trial already; see: zen-agents status")
        paused = [agent.name for agent in self._agents() if self._is_paused(agent.name)]
        if not paused:
            raise UsageError("no agent is paused; see: zen-agents status")
        now = self._parts.clock.now()
        body = {"agents": paused, "bake_seconds": bake_seconds, "reason": reason}
        self._parts.journal.human(now, who, "resume_staged", body)
        return self._try(paused[0], paused[1:], bake_seconds, who.name, now)

    def look(self) -> None:
        """Go on to the next agent, or back to observing, if it is time; called now and then."""
        trial, now = self.trial, self._parts.clock.now()
        if trial is None:
            return
        if (found := self._regression(trial)) is not None:
            self._go_back(trial, found, now)
        elif now.steady - trial.since >= trial.bake_seconds:
            self._go_on(trial, now)

    def line(self) -> str:
        """Return what `status` says of it, "" if nothing is on trial."""
        if self.trial is None:
            return ""
        left = max(0.0, self.trial.since + self.trial.bake_seconds - self._parts.clock.now().steady)
        then = f"; then {', '.join(self.trial.waiting)}" if self.trial.waiting else ""
        return f"staged resume: {self.trial.agent} is on trial for {duration(left)} more{then}"

    # -- inside -------------------------------------------------------------------------------------------------------
    def _is_paused(self, agent: str) -> bool:
        return any(brake.kind == PAUSE and brake.scope == f"agent:{agent}" for brake in self._parts.store.brakes())

    def _try(self, agent: str, waiting: Sequence[str], bake_seconds: float, by: str, now: Instant) -> Trial:
        self._parts.store.lift_brake(PAUSE, f"agent:{agent}")
        trial = Trial(agent, now.steady, bake_seconds, by, tuple(waiting))
        self._keep(trial)
        self._parts.journal.engine(now, "agent_on_trial", agent=agent, bake_seconds=bake_seconds, waiting=list(waiting))
        self._parts.store.commit()
        self._lifted(Reason.PAUSED)
        return trial

    def _keep(self, trial: Trial | None) -> None:
        self.trial = trial
        self._parts.store.put(_FACT, "" if trial is None else json.dumps(asdict(trial)))

    def _regression(self, trial: Trial) -> Incident | None:
        """Return an incident of the agent that opened since it may act again."""
        recent = self._parts.store.incidents(since=trial.since, limit=1000)
        return next((incident for incident in (*self._parts.book, *recent)
                     if incident.agent == trial.agent and incident.opened_at and incident.opened_at.steady > trial.since),
                    None)  # fmt: skip

    def _go_back(self, trial: Trial, found: Incident, now: Instant) -> None:
        why = f"{found.id} ({found.rule}) opened while it was on trial"
        self._parts.store.set_brake(Brake(PAUSE, f"agent:{trial.agent}", why, ENGINE.name, now, None))
        self._keep(None)
        self._parts.journal.engine(now, "staged_resume_stopped", agent=trial.agent, incident=found.id)
        self._parts.store.commit()
        rest = f"; {', '.join(trial.waiting)} not tried" if trial.waiting else ""
        self._parts.escalation.engine("staged_resume", f"{trial.agent} only observes again: {why}{rest}", now)

    def _go_on(self, trial: Trial, now: Instant) -> None:
        names = {agent.name for agent in self._agents()}
        left = [name for name in trial.waiting if name in names and self._is_paused(name)]
        if left:
            self._try(left[0], left[1:], trial.bake_seconds, trial.by, now)
            return
        self._keep(None)
        self._parts.journal.engine(now, "staged_resume_over", agent=trial.agent)
        self._parts.store.commit()
        self._parts.escalation.engine_resolved("staged_resume", "every agent acts again", now)
