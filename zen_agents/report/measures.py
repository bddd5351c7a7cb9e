"""Proof of fix: what the figures of the report are and how each is counted; pure.

An action *ran* if it got as far as the host: it was verified, failed, timed out, or its outcome is unknown. An incident is
*acted on* if an action that was for it ran, whoever asked. All durations are seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry
from zen_agents.model.incident import Incident
from zen_agents.ports.store import ActionRow
from zen_agents.report.days import days_of, disturbed_nights, ended_by
from zen_agents.report.figures import Debt, Person, Report, RuleProof, Spread
from zen_agents.report.objectives import USUAL, Evidence, Objective, Target, judge
from zen_agents.report.rate import Rate
from zen_agents.report.recorded import Recorded

#: A repair after which the same broke again within this did not mend the cause (seconds).
AGAIN_WITHIN = 86_400.0
#: What cleared within this is compared, with and without an action (seconds).
CLEARED_WITHIN = 3_600.0
#: Repaired so often within the span, a thing is a debt: its cause wants a person.
DEBT_FROM = 3
#: Judged outcomes of what ran. What was undone had its own end before, which is not kept.
JUDGED = (OutcomeKind.VERIFIED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.UNKNOWN)
_RAN = frozenset((*JUDGED, OutcomeKind.UNDONE))


def measure(recorded: Recorded, targets: Iterable[Target] = USUAL) -> Report:
    """Count everything and judge the targets; an empty span has an empty report."""
    ran = _by_incident(row for row in recorded.actions if row.kind in _RAN)
    rules = _rules(recorded, ran)
    over = [one for one in recorded.incidents if not one.is_live]
    wanted = [one for one in over if ended_by(one) in ("engine", "person")]
    alone = [one for one in wanted if ended_by(one) == "engine" and one.escalated_at is None]
    return Report(
        since=recorded.since,
        until=recorded.until,
        incidents=len(recorded.incidents),
        open=len(recorded.incidents) - len(over),
        fixed_without_person=Rate(len(alone), len(wanted)),
        lasted=_spread(map(_lasted, over)),
        outcomes=_counted(row.kind.value for row in recorded.actions),
        skipped=dict(recorded.skipped),
        nights=len(disturbed_nights(recorded.told)),
        told=_counted(one.channel for one in recorded.told),
        days=days_of(recorded),
        rules=rules,
        debts=_debts(recorded, ran),
        objectives=_objectives(recorded, rules, targets),
        people=_people(recorded),
        is_cut=recorded.is_cut,
    )


def _by_incident(rows: Iterable[ActionRow]) -> Mapping[str, list[ActionRow]]:
    found: dict[str, list[ActionRow]] = defaultdict(list)
    for row in rows:
        if row.incident is not None:
            found[row.incident].append(row)
    return found


def _lasted(incident: Incident) -> float:
    end = incident.resolved_at or incident.changed_at
    return max(0.0, end.steady - incident.began_at.steady)


def _spread(seconds: Iterable[float]) -> Spread:
    """Return median and 95th percentile by nearest rank: the value at position ceil(p * n) of the sorted ones."""
    ranked = sorted(seconds)
    if not ranked:
        return Spread(None, None)
    return Spread(*(ranked[ceil(share * len(ranked)) - 1] for share in (0.5, 0.95)))


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


# -- rules ----------------------------------------------------------------------------------------------------------------
def _rules(recorded: Recorded, ran: Mapping[str, list[ActionRow]]) -> Sequence[RuleProof]:
    incidents: dict[str, list[Incident]] = defaultdict(list)
    for one in recorded.incidents:
        incidents[one.rule].append(one)
    judged = _judged_by_rule(recorded)
    again = _openings(recorded.incidents)
    proofs = [
        _proof(rule, incidents[rule], judged[rule], ran, again, recorded.now.steady)
        for rule in sorted({*incidents, *judged} - {""})
    ]
    return sorted(proofs, key=lambda proof: -proof.incidents)


def _judged_by_rule(recorded: Recorded) -> Mapping[str, list[ActionRow]]:
    judged: dict[str, list[ActionRow]] = defaultdict(list)
    rule_of = {one.id: one.rule for one in recorded.incidents}
    for row in recorded.actions:
        if row.kind in JUDGED:
            judged[rule_of.get(row.incident or "", row.rule)].append(row)
    return judged


def _proof(
    rule: str, incidents: Sequence[Incident], judged: Sequence[ActionRow], ran: Mapping[str, list[ActionRow]],
    again: Mapping[str, Sequence[float]], now: float,
) -> RuleProof:  # fmt: skip
    repaired = [one for one in incidents if ended_by(one) == "engine"]
    returns = [came for one in repaired if (came := _came_again(one, again[one.key], now)) is not None]
    acted, alone = [one for one in incidents if one.id in ran], [one for one in incidents if one.id not in ran]
    return RuleProof(
        rule=rule,
        incidents=len(incidents),
        verified=Rate(sum(row.kind is OutcomeKind.VERIFIED for row in judged), len(judged)),
        recurred=Rate(sum(returns), len(returns)),
        cleared_acted=_cleared(acted, now),
        cleared_alone=_cleared(alone, now),
        repaired=_spread(map(_lasted, repaired)),
    )


def _openings(incidents: Iterable[Incident]) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for one in incidents:
        if one.opened_at is not None:
            found[one.key].append(one.opened_at.steady)
    return found


def _came_again(incident: Incident, openings: Sequence[float], now: float) -> bool | None:
    """Tell whether it opened again soon after it was repaired; None if that cannot be told yet."""
    ended = (incident.resolved_at or incident.changed_at).steady
    if any(ended <= at <= ended + AGAIN_WITHIN for at in openings):
        return True
    return False if ended + AGAIN_WITHIN <= now else None


def _cleared(incidents: Iterable[Incident], now: float) -> Rate:
    """Count those that were over within `CLEARED_WITHIN`; what the configuration ended says nothing."""
    cleared = of = 0
    for one in incidents:
        opened = one.opened_at.steady if one.opened_at else one.began_at.steady
        end = (one.resolved_at or one.changed_at).steady
        in_time = not one.is_live and end - opened <= CLEARED_WITHIN
        if ended_by(one) == "configuration" or not (in_time or opened + CLEARED_WITHIN <= now):
            continue
        of += 1
        cleared += in_time
    return Rate(cleared, of)


# -- debts, objectives, people --------------------------------------------------------------------------------------------
def _debts(recorded: Recorded, ran: Mapping[str, list[ActionRow]]) -> Sequence[Debt]:
    repaired: dict[str, list[Incident]] = defaultdict(list)
    for one in recorded.incidents:
        if ended_by(one) == "engine":
            repaired[one.key].append(one)
    debts = [_debt(each, ran) for each in repaired.values() if len(each) >= DEBT_FROM]
    return sorted(debts, key=lambda debt: (-debt.repairs, debt.rule, debt.target))


def _debt(incidents: Sequence[Incident], ran: Mapping[str, list[ActionRow]]) -> Debt:
    actions = _counted(row.action for one in incidents for row in ran.get(one.id, ()))
    first, last = incidents[0], incidents[-1]
    return Debt(
        first.rule, first.target, len(incidents), first.began_at.wall, last.began_at.wall,
        sum(map(_lasted, incidents)), tuple(actions),
    )  # fmt: skip


def _objectives(recorded: Recorded, rules: Sequence[RuleProof], targets: Iterable[Target]) -> Sequence[Objective]:
    recurred = {proof.rule: proof.recurred for proof in rules}
    judged = _judged_by_rule(recorded)
    lasted: dict[str, list[float]] = defaultdict(list)
    for one in recorded.incidents:
        if ended_by(one) == "engine":
            lasted[one.rule].append(_lasted(one))
    by_rule = {
        rule: Evidence([row.kind for row in judged[rule]], recurred.get(rule, Rate(0, 0)), lasted[rule])
        for rule in {*judged, *lasted, *recurred}
    }
    whole = Evidence(
        [row.kind for row in recorded.actions if row.kind in JUDGED],
        Rate(sum(each.times for each in recurred.values()), sum(each.of for each in recurred.values())),
        [seconds for each in lasted.values() for seconds in each],
    )
    return judge(targets, whole, by_rule)


def _people(recorded: Recorded) -> Sequence[Person]:
    did: dict[str, Counter[str]] = defaultdict(Counter)
    for row in recorded.people:
        did[row.entry.actor][_verb(row)] += 1
    for_them = Counter(row.requested_by for row in recorded.actions if row.kind in _RAN and row.requested_by in did)
    people = [Person(name, dict(verbs.most_common()), for_them[name]) for name, verbs in did.items()]
    return sorted(people, key=lambda person: -sum(person.did.values()))


def _verb(row: ChainedEntry) -> str:
    return row.entry.id.replace("_", " ")
