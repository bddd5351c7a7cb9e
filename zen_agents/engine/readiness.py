"""Ready before the first repair: what acting loads and compiles at its first use is used once, for nothing, ahead of it.

Nothing is planned for and the host is only asked what guards ask of it. An engine that has no action to take loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zen_agents.engine.parts import Parts
from zen_agents.model.action import ActionRequest
from zen_agents.rules.rule import Rule

_OBSERVE = "observe"


async def get_ready(parts: Parts, rules: Iterable[Rule]) -> None:
    """Load each action that these rules may ask for and ask the guards about it; never raises, and decides nothing."""
    policy, now = parts.policy, parts.clock.now()
    if policy.mode == _OBSERVE:
        return
    situation = parts.book.situation(policy, now, actionable=parts.actionable, running=0, foreign=parts.foreign)
    for rule, request in _one_of_each(rules):
        await parts.executor.get_ready(request, rule=rule, policy=policy, situation=situation, now=now)


def _one_of_each(rules: Iterable[Rule]) -> Iterator[tuple[Rule, ActionRequest]]:
    seen = set[str]()
    for rule in rules:
        for request in (request for rung in rule.ladder for request in rung.alternatives):
            if request.action not in seen:
                seen.add(request.action)
                yield rule, request
