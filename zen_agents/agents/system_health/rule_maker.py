"""Makes rules that have the same bones: name, key path, patience and ladder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import field

from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.compact_ladder import Ladders
from zen_agents.agents.system_health.remedies import AGENT, Remedies
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import Beyond
from zen_agents.rules.rule import Condition, Hold, Rule, Rung

_AT_ONCE, _NOTHING = Hold(), frozenset[str]()


@dataclass(frozen=True, slots=True)
class RuleMaker:
    """What all rules of the agent are made with."""

    context: AgentContext
    remedies: Remedies
    ladders: Ladders
    #: Each as it was first made: thousands of rules have the same.
    holds: dict[Hold, Hold] = field(default_factory=dict)

    def rule(
        self,
        label: str,
        target: str,
        condition: Condition,
        *,
        at: str,
        summary: str,
        severity: Severity,
        hold: Hold = _AT_ONCE,
        clear: Condition | None = None,
        ladder: tuple[Rung, ...] = (),
        runbook: str = "",
        depends_on: frozenset[str] = _NOTHING,
    ) -> Rule:
        """Return a rule; `at` is the key path of the setting it comes from, below the agent's section."""
        target = sys.intern(target)
        longest = max(condition.histories.values(), default=0.0)
        patience, when_critical = self.context.patience_seconds, self.context.patience_when_critical_seconds
        return Rule(
            name=f"{AGENT}.{label}",
            agent=AGENT,
            target=target,
            condition=condition,
            hold=self.holds.setdefault(hold, hold),
            clear=clear,
            severity=severity,
            ladder=self.ladders.keep(ladder, target),
            # A window that is not full yet cannot be told; that is no reason to call people.
            unknown_patience_seconds=max(patience, longest + when_critical),
            patience_seconds=when_critical if severity is Severity.CRITICAL else patience,
            depends_on=depends_on or _NOTHING,
            origin=self.context.origin(f"agents.{AGENT}.{at}".rstrip(".")),
            runbook=runbook,
            summary=summary,
        )

    def is_written(self, at: str) -> bool:
        """Tell whether the configuration has this key below the agent's section."""
        return bool(self.context.origin(f"agents.{AGENT}.{at}"))

    def ladder(
        self,
        requests: Sequence[ActionRequest],
        *,
        attempts: int = 4,
        settle_seconds: float = 0.0,
        verify_within_seconds: float | None = None,
        bake_seconds: float = 0.0,
    ) -> tuple[Rung, ...]:
        """Return a rung for each action: the first that guards allow is taken, the next only after it did not help."""
        rungs = []
        for index in range(len(requests)):
            alternatives = tuple(requests[index:])
            verify_within = max(self.context.verify_within_seconds(request.action) for request in alternatives)
            rungs.append(
                Rung(
                    alternatives,
                    attempts=attempts,
                    settle_seconds=settle_seconds,
                    verify_within_seconds=verify_within_seconds or verify_within,
                    bake_seconds=bake_seconds,
                )
            )
        return tuple(rungs)

    def named_ladder(self, references: Sequence[str], *, target: str, at: str, attempts: int = 4) -> tuple[Rung, ...]:
        """Return the ladder that the references of a setting name; SettingsError for what does not exist."""
        return self.ladder(self.remedies.ladder(references, target=target, at=f"agents.{AGENT}.{at}"), attempts=attempts)

    def ladder_or(
        self, remedy: str, references: Sequence[str] | None, *, target: str, at: str, attempts: int
    ) -> tuple[Rung, ...]:
        """Return the ladder that a setting names; where it names none, this remedy, if the allow-list has it."""
        if references is not None:
            return self.named_ladder(references, target=target, at=at, attempts=attempts)
        return self.ladder(self.unasked([self.remedies.of(remedy, target)]), attempts=attempts)

    def unasked(self, requests: Sequence[ActionRequest | None]) -> Sequence[ActionRequest]:
        """Return those requests that exist and that the allow-list has: what is done where no action is named."""
        return [request for request in requests if request is not None and self.context.allows(request.action)]


def now_above(name: str, target: str, limit: float, every_seconds: float) -> Beyond:
    """Return the condition that the newest observation is above a limit."""
    return Beyond(name, target, limit, window_seconds=0.0, sample_seconds=every_seconds)
