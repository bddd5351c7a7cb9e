"""What is wrong with a rule set as a whole, found without running it. Each is a warning with a code and a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from zen_agents import catalog
from zen_agents.actions.base import Action
from zen_agents.lint.expressions import hold_together, is_ever, proposition
from zen_agents.lint.rule_set import RuleSet
from zen_agents.model.action import ActionRequest, Budget
from zen_agents.rules.condition import AllOf, Beyond, Either
from zen_agents.rules.expression import ExpressionCondition
from zen_agents.rules.rule import Condition, Rule
from zen_agents.settings.diagnostics import Diagnostic, Report

#: No share goes beyond these.
_LEAST_PERCENT, _MOST_PERCENT = 0.0, 100.0


def findings(rule_set: RuleSet) -> Sequence[Diagnostic]:
    """Return everything found, in the order of the files."""
    report = Report()
    _cycles(rule_set, report)
    _one_resource(rule_set, report)
    _never_allowed(rule_set, report)
    _never_true(rule_set, report)
    _expressions(rule_set, report)
    _never_verified(rule_set, report)
    _never_asked(rule_set, report)
    return report.sorted()


# -- cycles -----------------------------------------------------------------------------------------------------------
def _cycles(rule_set: RuleSet, report: Report) -> None:
    edges = {rule.key: _sets_off(rule, rule_set) for rule in rule_set.acting}
    by_key = {rule.key: rule for rule in rule_set.acting}
    for cycle in _loops(edges):
        first = by_key[cycle[0]]
        way = " -> ".join(f"{by_key[key].name} ({_deed(edges[key][after])})" for key, after in _steps(cycle))
        report.warning(
            "ZC701", f"what one rule does sets off the next, in a circle: {way} -> {first.name}", rule_set.place(first),
            help="let one of them only tell, or say with depends_on which of them suffers from the other",
        )  # fmt: skip


def _sets_off(rule: Rule, rule_set: RuleSet) -> Mapping[str, ActionRequest]:
    """Return the rules that what this one does makes bad, each with the action; what mends itself is no such thing.

    A rule that depends on the one whose target is acted on, also over others, waits for it, and acts for nothing.
    """
    found: dict[str, ActionRequest] = {}
    for request in rule_set.requests[rule.key]:
        for other in rule_set.acting:
            acts_on = {each.target for each in rule_set.requests[other.key]}
            waits = rule_set.waits_for(other, request)
            if other.key != rule.key and request.target not in acts_on and not waits and _disturbs(request, other):
                found.setdefault(other.key, request)
    return found


def _loops(edges: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, ...]]:
    """Yield one circle for each rule that is in one, and none twice."""
    told: set[frozenset[str]] = set()
    for start in sorted(edges):
        before: dict[str, str] = {}
        waiting = [start]
        while waiting:
            key = waiting.pop(0)
            for after in edges.get(key, ()):
                if after == start:
                    cycle = [key]
                    while cycle[-1] != start:
                        cycle.append(before[cycle[-1]])
                    if frozenset(cycle) not in told:
                        told.add(frozenset(cycle))
                        yield tuple(reversed(cycle))
                    waiting.clear()
                    break
                if after not in before:
                    before[after] = key
                    waiting.append(after)


def _steps(cycle: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(cycle, [*cycle[1:], cycle[0]], strict=True)


# -- one resource -----------------------------------------------------------------------------------------------------
def _one_resource(rule_set: RuleSet, report: Report) -> None:
    for one, other in combinations(rule_set.acting, 2):
        if one.origin == other.origin or _of_one_entry(one, other):
            continue
        pair = _same_resource(rule_set.requests[one.key], rule_set.requests[other.key])
        if pair is not None:
            mine, theirs, what = pair
            report.warning(
                "ZC702", f"{one.name} ({_deed(mine)}) and {other.name} ({_deed(theirs)}) both act on {what}",
                rule_set.place(other), note=f"{one.name} is at {rule_set.place(one)}",
            )  # fmt: skip


def _of_one_entry(one: Rule, other: Rule) -> bool:
    """Tell whether both come of one entry, like `web` and `web.memory`: these know of each other, and spend one limit."""
    first, second = sorted((one.name, other.name), key=len)
    return one.target == other.target and second.startswith(f"{first}.")


def _same_resource(
    mine: Sequence[ActionRequest], theirs: Sequence[ActionRequest]
) -> tuple[ActionRequest, ActionRequest, str] | None:
    """Return two requests that act on the same thing and do not just tidy it up alike, and what that is."""
    for one in mine:
        for other in theirs:
            alike = one.action == other.action and one.target == other.target
            if alike and _kind(one).budget is Budget.HOUSEKEEPING:
                continue
            shared = _resources(one) & _resources(other)
            if shared:
                return one, other, min(shared)
            if (inner := _lies_within(one, other) or _lies_within(other, one)) and not alike:
                return one, other, inner
    return None


def _resources(request: ActionRequest) -> set[str]:
    """Return what a request acts on, by names that are the same for all actions."""
    named = {str(request.params[key]) for key in ("unit", "path", "pidfile") if request.params.get(key)}
    return named | {request.target}


def _lies_within(outer: ActionRequest, inner: ActionRequest) -> str:
    """Return the path of one request that another one reaches, which takes away what is below its own."""
    top, path = str(outer.params.get("path") or ""), str(inner.params.get("path") or "")
    return path if outer.action in ("clean_temp_files", "clear_cache") and path.startswith(top.rstrip("/") + "/") else ""


# -- never ------------------------------------------------------------------------------------------------------------
def _never_allowed(rule_set: RuleSet, report: Report) -> None:
    for key, refusals in rule_set.refused.items():
        rule = rule_set.rules[key]
        for refusal in refusals:
            whole = "" if rule_set.requests[key] else "; so this rule can do nothing"
            report.warning(
                "ZC703", f"{rule.name} can never {_deed(refusal.request)}: {refusal.guard} refuses ({refusal.why}){whole}",
                rule_set.place(rule), note=f"that stands at {refusal.origin}" if refusal.origin else "",
            )  # fmt: skip


def _never_true(rule_set: RuleSet, report: Report) -> None:
    for rule in rule_set.rules.values():
        if why := _impossible(rule.condition):
            report.warning("ZC704", f"{rule.name} can never be bad: {why}", rule_set.place(rule))


def _impossible(condition: Condition) -> str:
    """Return why no observation meets a condition, "" if one might."""
    if isinstance(condition, AllOf):
        return next((why for part in condition.conditions if (why := _impossible(part))), "") or _contradiction(condition)
    if isinstance(condition, Either):
        whys = [_impossible(part) for part in condition.conditions]
        return whys[0] if all(whys) else ""
    if not isinstance(condition, Beyond) or not condition.name.rpartition(".")[2].endswith("percent"):
        return ""
    if condition.direction == "above" and condition.limit >= _MOST_PERCENT:
        return f"{condition.name} is never above {condition.limit:g} %"
    if condition.direction == "below" and condition.limit <= _LEAST_PERCENT:
        return f"{condition.name} is never below {condition.limit:g} %"
    return ""


def _expressions(rule_set: RuleSet, report: Report) -> None:
    for rule in rule_set.rules.values():
        if isinstance(rule.condition, ExpressionCondition):
            _expression(rule, rule.condition, rule_set, report)


def _expression(rule: Rule, when: ExpressionCondition, rule_set: RuleSet, report: Report) -> None:
    said, place = proposition(when), rule_set.place(rule, when.origin)
    if not is_ever(True, said):
        report.warning("ZC704", f"{rule.name} can never be bad: `{when.text}` is never true", place)
        return
    if not is_ever(False, said):
        report.warning("ZC706", f"{rule.name} is always bad: `{when.text}` is always true", place)
        return
    if not isinstance(rule.clear, ExpressionCondition):
        return
    cleared, place = proposition(rule.clear), rule_set.place(rule, rule.clear.origin)
    if not is_ever(True, cleared):
        report.warning("ZC707", f"{rule.name} can never be well again: `{rule.clear.text}` is never true", place)
    elif (both := hold_together(said, cleared)) is not None:
        values = ", ".join(f"{name.partition('@')[0]} {value:g}" for name, value in both.items())
        report.warning(
            "ZC707", f"`{rule.clear.text}` also holds while {rule.name} is bad (`{when.text}`), at {values}: "
            "nothing keeps it from fluttering", place,
        )  # fmt: skip


def _never_asked(rule_set: RuleSet, report: Report) -> None:
    for agent, place in rule_set.switched_off.items():
        report.warning(
            "ZC708", f"the rules of {agent} are never asked: it is switched off, and what they read is not observed", place
        )  # fmt: skip


def _contradiction(condition: AllOf) -> str:
    parts = [part for part in condition.conditions if isinstance(part, Beyond)]
    for above in (part for part in parts if part.direction == "above"):
        for below in (part for part in parts if part.direction == "below" and part.names == above.names):
            if below.limit <= above.limit:
                return f"{above.name} is never above {above.limit:g} and below {below.limit:g} at once"
    return ""


def _never_verified(rule_set: RuleSet, report: Report) -> None:
    for rule in rule_set.acting:
        read = {name for name, _ in rule.condition.names}
        for request in rule_set.requests[rule.key]:
            mends = _kind(request).mends
            if mends and not any(_covers(pattern, request, name) for pattern in mends for name in read):
                report.warning(
                    "ZC705", f"nothing that {rule.name} reads shows whether {_deed(request)} helped",
                    rule_set.place(rule), note=f"it reads {', '.join(sorted(read))}",
                    help="put into its condition what the action is to mend",
                )  # fmt: skip


def _disturbs(request: ActionRequest, rule: Rule) -> bool:
    return any(_covers(pattern, request, name) for pattern in _kind(request).disturbs for name, _ in rule.condition.names)


def _covers(pattern: str, request: ActionRequest, name: str) -> bool:
    """Tell whether an observation is one that an action declares: by its whole name, or by how it begins."""
    meant = pattern.replace("{name}", request.target.partition(":")[2])
    return name == meant or name.startswith(meant if meant.endswith(".") else f"{meant}.")


def _kind(request: ActionRequest) -> type[Action]:
    return catalog.ACTIONS[request.action]


def _deed(request: ActionRequest) -> str:
    return f"{request.action} {request.target}"
