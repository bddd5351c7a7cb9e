"""What people may pause, and what they may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zen_agents.engine.safe_mode import HOST
from zen_agents.guards.approval import DEMOTED

if TYPE_CHECKING:
    from zen_agents.engine.engine import Engine


def scopes(engine: Engine) -> dict[str, str]:
    """Return what people may pause, by every name they may call it, with its canonical scope."""
    names = {"host": HOST, engine.host_name: HOST}
    for agent in engine.agents:
        names |= {agent.name: f"agent:{agent.name}", f"agent:{agent.name}": f"agent:{agent.name}"}
        for rule in agent.tick.watchlist.rules.values():
            target = f"target:{rule.target}"
            names.setdefault(rule.target.partition(":")[2] or rule.name.rpartition(".")[2], target)
            names |= {rule.name: f"rule:{rule.name}", f"rule:{rule.name}": f"rule:{rule.name}", rule.target: target}
            names[target] = target
    for brake in engine.parts.store.brakes():
        if brake.kind == DEMOTED:
            names |= {brake.scope: brake.scope, brake.scope.removeprefix("rule:"): brake.scope}
    names["host"] = HOST
    return names


def rules_of(engine: Engine, scope: str) -> list[str]:
    """Return the names of the rules about a target's scope, none for any other scope."""
    target = scope.partition("target:")[2]
    rules = (rule for agent in engine.agents for rule in agent.tick.watchlist.rules.values())
    return [rule.name for rule in rules if target and rule.target == target]
