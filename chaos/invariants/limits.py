"""Hourly limits, cooldowns, leases and breakers hold, over restarts too: counted anew from the ledger alone.

How much was allowed is read from what the guards said at the decision; how much was used is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chaos.invariants.brakes import seconds_of
from chaos.invariants.record import ROUNDING, Act, Record, kind_of
from chaos.invariants.violation import Violation
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry, EntryKind

_HOUR = 3600.0
#: Spans are written in whole units, the two largest.
_SPAN_ROUNDING = 60.0
_BUDGET = re.compile(r"(\d+) of (\d+) (repairs|housekeeping) (?:this hour|within (\S+?))(?:,|;|$)")
#: Who is shut out has a budget of its own, which is that of its action.
_CONTAINMENT = re.compile(r"(\d+) of (\d+) (ban_address)()(?:,|;|$)")
_TARGET = re.compile(r"(\d+) of (\d+) for this target")
_RUNNING = re.compile(r"(\d+) of (\d+) running")
_BREAKER = re.compile(r"(\S+) \((\d+) of (\d+) failures in (\S+)\)(, one trial is due)?")
_RECURRENCE = re.compile(r"(\d+) of (\d+) repairs in ([^,\s]+)(?:, none for (\S+))?")
_FAILURES = (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An act of the engine with the decision it rests on."""

    act: Act
    decision: ChainedEntry
    #: Guard -> what it said.
    said: Mapping[str, str]

    @property
    def at(self) -> float:
        return self.decision.entry.at.steady

    def violation(self, rule: str, what: str) -> Violation:
        return Violation(rule, f"{self.act.id} {what}", (self.act.id, f"entry {self.decision.seq}"))


def _asked(record: Record) -> Iterator[_Asked]:
    for act in record.acts_of_engine:
        decision = record.decision_of(act)
        if decision is not None and act.seq > record.kept_after:
            answers = decision.entry.body.get("guards", ())
            yield _Asked(act, decision, {str(each.get("guard")): str(each.get("value", "")) for each in answers})


def limits_hold(record: Record) -> Iterator[Violation]:
    """No more than the budgets of the hour, the target's own limit, and so many at once."""
    for asked in _asked(record):
        said = asked.said.get("rate_limit", "")
        of_budget = _CONTAINMENT if asked.act.body.get("budget") == "containment" else _BUDGET
        budget, target, running = of_budget.search(said), _TARGET.search(said), _RUNNING.search(said)
        if budget is None or target is None or running is None:
            yield asked.violation("limits", f"was let through by limits that nobody can read: {said!r}")
            continue
        within = seconds_of(budget[4]) if budget[4] else _HOUR
        same = [act for act in _before(record, asked, within) if act.body.get("budget") == asked.act.body.get("budget")]
        if len(same) >= int(budget[2]):
            yield asked.violation("limits", f"is number {len(same) + 1} within the window of {budget[2]} {budget[3]}")
        on_target = [act for act in _before(record, asked, _HOUR) if act.target == asked.act.target and _ran(act)]
        if len(on_target) >= int(target[2]):
            yield asked.violation("limits", f"is number {len(on_target) + 1} of {target[2]} on {asked.act.target}")
        at_once = [act for act in record.acts if act.seq < asked.act.seq and act.ran_until > asked.act.at + ROUNDING]
        if len(at_once) >= int(running[2]):
            yield asked.violation("limits", f"began while {', '.join(act.id for act in at_once)} ran")


def _ran(act: Act) -> bool:
    """Tell whether it may have been carried out: what has certainly not begun does nothing to a target."""
    return act.final is None or kind_of(act.final) is not OutcomeKind.SKIPPED


def _before(record: Record, asked: _Asked, within: float) -> list[Act]:
    """Return the engine's earlier acts that count within a window."""
    since = asked.at - within + ROUNDING
    return [act for act in record.acts_of_engine if act.seq < asked.act.seq and act.at > since]


def one_action_at_a_time_on_a_target(record: Record) -> Iterator[Violation]:
    """A target, and whatever plans say they touch, is held from the intent to the final outcome."""
    for index, act in enumerate(record.acts):
        for later in record.acts[index + 1 :]:
            if later.seq > act.held_until:
                continue
            if later.target == act.target or set(later.touches) & set(act.touches):
                yield Violation("limits", f"{later.id} began before {act.id} was judged", (act.id, later.id))


def cooldowns_hold(record: Record) -> Iterator[Violation]:
    """A target rests between the acts for two incidents."""
    for asked in _asked(record):
        own, said = asked.act.intent.entry.incident, asked.said.get("cooldown", "")
        seconds = seconds_of(said.partition(",")[0])
        others = (act for act in record.acts if act.seq < asked.act.seq and act.target == asked.act.target)
        for other in others:
            final = other.final
            if final is None or not _ran(other) or other.intent.entry.incident == own:
                continue
            rested = asked.at - final.entry.at.steady
            if rested + ROUNDING < seconds - (_SPAN_ROUNDING if seconds > _HOUR else 0.0):
                yield asked.violation(
                    "limits", f"came {rested:.1f} s after {other.id}; {said.partition(',')[0]} are asked for"
                )


def breakers_hold(record: Record) -> Iterator[Violation]:
    """What failed so often that its breaker is open is not tried before a trial is due."""
    for asked in _asked(record):
        claim = _BREAKER.match(asked.said.get("breaker", ""))
        if claim is None or claim[5]:
            continue
        failures = _failures(record, asked, seconds_of(claim[4]))
        if len(failures) >= int(claim[3]):
            what = f"was done after {len(failures)} failures; its breaker opens at {claim[3]} and saw {claim[2]}"
            yield asked.violation("limits", what)


def _failures(record: Record, asked: _Asked, within: float) -> list[str]:
    """Return the failed acts of the same action and target since the last that helped, or since a person reset it."""
    name, failed = f"{asked.act.action}|{asked.act.target}", dict[str, float]()
    acts = {act.id: act for act in record.acts_of_engine}
    for each in record.entries:
        if each.seq >= asked.decision.seq:
            break
        entry = each.entry
        if entry.kind is EntryKind.HUMAN and entry.id == "breaker_reset" and entry.body.get("target") == name:
            failed.clear()
        act = acts.get(entry.id) if entry.kind is EntryKind.OUTCOME else None
        if act is None or f"{act.action}|{act.target}" != name:
            continue
        if kind_of(each) is OutcomeKind.VERIFIED:
            failed.clear()
        elif kind_of(each) in _FAILURES:
            failed[act.id] = entry.at.steady
    return [id for id, at in failed.items() if at > asked.at - within + ROUNDING]


def a_fix_that_keeps_coming_back_stops(record: Record) -> Iterator[Violation]:
    """R7: what was repaired so often within the window is not repaired again, unless none was needed for long enough."""
    for asked in _asked(record):
        claim = _RECURRENCE.match(asked.said.get("recurrence", ""))
        if claim is None:
            continue
        repaired = _repaired(record, asked, seconds_of(claim[3]))
        if len(repaired) < int(claim[2]):
            continue
        calm = seconds_of(claim[4]) if claim[4] else float("inf")
        if max(repaired) > asked.at - calm + ROUNDING:
            yield asked.violation(
                "R7", f"is repair number {len(repaired) + 1} within {claim[3]}; {claim[2]} are let through"
            )


def _repaired(record: Record, asked: _Asked, within: float) -> list[float]:
    same = (asked.decision.entry.body.get("rule"), asked.act.target)
    ends = [act.final for act in record.acts_of_engine if (act.body.get("rule"), act.target) == same]
    verified = [end.entry.at.steady for end in ends if end is not None and kind_of(end) is OutcomeKind.VERIFIED]
    return [at for at in verified if asked.at - within + ROUNDING < at < asked.at]
