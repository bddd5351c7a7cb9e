"""The most that the engine itself may do within any hour, by rule, by agent and in all.

It is never exceeded; breakers, the storm brake, leases, the time that actions take, and people only make it less.

- A rule: the largest n whose n actions fit into an hour. Two actions of one incident are a backoff apart (none between two
  rungs), those of two incidents a cooldown, and an incident has no more attempts than its ladder. So the shortest time for n
  is t(n) = min over j of t(n - j) + cooldown + the sum of the first j - 1 backoffs, with t(0) = -cooldown and t(n) < 3600 s.
  No more than `limits.per_target_per_hour` for each of its targets, and no more than its actions may in all.
- An action: `actions.allow.NAME.max_per_hour` and the budget that it spends.
- Several rules together: the least of their sum, of what their targets allow, of what their budgets allow and of what their
  actions allow. A rule that may not act at all counts as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from zen_agents import catalog
from zen_agents.dataclass import dataclass
from zen_agents.guards.base import Limit, Policy
from zen_agents.model.action import ActionRequest, Budget
from zen_agents.rules.rule import Rule

HOUR = 3600.0
#: More than this many are not told apart.
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Bound:
    """At most so many actions an hour, and which limit says so."""

    most: int
    by: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """The worst case of a rule set."""

    #: By the rule's key (`rule|target`); rules without an action are left out.
    rules: Mapping[str, Bound]
    agents: Mapping[str, Bound]
    whole: Bound


def worst_case(rules: Sequence[Rule], asked: Mapping[str, Sequence[ActionRequest]], policy: Policy) -> Bounds:
    """Return the bounds; `asked` are those that each rule may really make, by its key."""
    acting = [rule for rule in rules if rule.ladder]
    bounds = {rule.key: _of_rule(rule, asked.get(rule.key, ()), policy) for rule in acting}
    agents = {
        name: _together([rule for rule in acting if rule.agent == name], bounds, asked, policy)
        for name in sorted({rule.agent for rule in acting})
    }
    return Bounds(bounds, agents, _together(acting, bounds, asked, policy))


def _of_rule(rule: Rule, asked: Sequence[ActionRequest], policy: Policy) -> Bound:
    if not asked:
        return Bound(0, "it may not act")
    names = {request.action for request in asked}
    targets = {request.target for request in asked}
    choices = [
        Bound(sum(_of_action(name, policy).most for name in names), min((_of_action(name, policy) for name in names),
              key=lambda bound: bound.most).by),
        Bound(_per_hour(policy.per_target) * len(targets), "limits.per_target_per_hour"),
    ]  # fmt: skip
    cap = min(choice.most for choice in choices)
    # Cooldowns are those of a target: a rule that acts on several goes from one to the next at once.
    cooldown = min(_cooldown(name, policy) for name in names) if len(targets) == 1 else 0.0
    in_time = _fitting(_gaps(rule), cooldown, cap)
    return min(*choices, Bound(in_time, "cooldown and backoff"), key=lambda bound: bound.most)


def _fitting(gaps: Sequence[float], cooldown: float, most: int) -> int:
    """Return how many actions, `most` at the utmost, fit into an hour; `gaps` are the least between two attempts."""
    inside = [0.0]
    for gap in gaps:
        inside.append(inside[-1] + gap)
    shortest = [-cooldown]
    while len(shortest) <= most:
        count = len(shortest)
        least = min(shortest[count - j] + cooldown + inside[j - 1] for j in range(1, min(count, len(inside)) + 1))
        if least >= HOUR:
            return count - 1
        shortest.append(least)
    return most


def _gaps(rule: Rule) -> Sequence[float]:
    """Return the least time between each attempt of one incident and the next (seconds)."""
    gaps: list[float] = []
    for rung in rule.ladder:
        if rung is not rule.ladder[0]:
            gaps.append(0.0)
        for attempt in range(1, rung.attempts):
            gaps.append(min(rung.backoff_maximum_seconds, rung.backoff_first_seconds * 2.0 ** min(attempt - 1, 60)))
    return gaps


def _cooldown(action: str, policy: Policy) -> float:
    allowance = policy.allowed.get(action)
    return allowance.cooldown.total_seconds() if allowance is not None else 0.0


def _of_action(name: str, policy: Policy) -> Bound:
    """Return how often an action may be taken in an hour, whoever asks for it."""
    allowance, budget = policy.allowed.get(name), budget_of(name)
    if allowance is None or policy.repairs.most <= 0:
        return Bound(0, "actions.allow" if allowance is None else "limits.max_auto_repairs_per_hour")
    spent = _of_budget(budget, policy)
    own = allowance.max_per_hour
    return spent if own is None or own >= spent.most else Bound(own, f"actions.allow.{name}.max_per_hour")


def _of_budget(budget: Budget, policy: Policy) -> Bound:
    if budget is Budget.REPAIR:
        return Bound(_per_hour(policy.repairs), "limits.max_auto_repairs_per_hour")
    return Bound(_per_hour(policy.housekeeping), "limits.max_housekeeping_per_hour")


def budget_of(name: str) -> Budget:
    """Return the budget that an action spends."""
    return catalog.ACTIONS[name].budget if name in catalog.ACTIONS else Budget.REPAIR


def _per_hour(limit: Limit) -> int:
    """Return how many a limit lets through in any hour: its own time may be another one."""
    return limit.most * max(1, -(-int(HOUR) // max(1, int(limit.within_seconds))))


def _together(
    rules: Sequence[Rule], bounds: Mapping[str, Bound], asked: Mapping[str, Sequence[ActionRequest]], policy: Policy
) -> Bound:
    alone = {rule.key: bounds[rule.key].most for rule in rules}
    kinds: tuple[tuple[str, Mapping[str, frozenset[str]], Mapping[str, int]], ...] = (
        ("limits.per_target_per_hour", *_grouped(rules, asked, lambda request: request.target,
                                                 lambda _: _per_hour(policy.per_target))),
        ("the hourly budgets", *_grouped(rules, asked, lambda request: budget_of(request.action).value,
                                         lambda name: _of_budget(Budget(name), policy).most)),
        ("actions.allow", *_grouped(rules, asked, lambda request: request.action,
                                    lambda name: _of_action(name, policy).most)),
    )  # fmt: skip
    found = [Bound(min(_MANY, sum(alone.values())), "the sum of its rules")]
    found += [Bound(_capped(alone, groups, caps), by) for by, groups, caps in kinds]
    return min(found, key=lambda bound: bound.most)


def _grouped(
    rules: Sequence[Rule], asked: Mapping[str, Sequence[ActionRequest]], name_of: Callable[[ActionRequest], str],
    cap_of: Callable[[str], int],
) -> tuple[Mapping[str, frozenset[str]], Mapping[str, int]]:  # fmt: skip
    """Return what each rule acts in (targets, actions or budgets), and the cap of each of those."""
    groups = {rule.key: frozenset(name_of(request) for request in asked.get(rule.key, ())) for rule in rules}
    return groups, {name: cap_of(name) for group in groups.values() for name in group}


def _capped(alone: Mapping[str, int], groups: Mapping[str, Iterable[str]], caps: Mapping[str, int]) -> int:
    """Return the sum over all groups, each no more than its cap and than all rules that may act in it."""
    return sum(min(cap, sum(alone[key] for key, names in groups.items() if name in names)) for name, cap in caps.items())
