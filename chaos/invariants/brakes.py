"""A human stop outranks everything (R9), and mass failure means stop (R3): nothing is done while a brake holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chaos.invariants.record import ROUNDING, Act, Record
from chaos.invariants.violation import Violation
from zen_agents.engine.engine import HOUSEKEEPING_EVERY
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry, EntryKind

#: A flag that somebody removes by hand is noticed within a round of housekeeping; until then the ledger says it is set.
_NOTICED_WITHIN = 2 * HOUSEKEEPING_EVERY
#: The rule about the state itself, which is written to by whatever is decided.
_STORE = "system_health.engine.store"
_STORM = re.compile(r"(\d+) of (\d+) targets failed within (\S+)")
_HOST = "host"


@dataclass(frozen=True, slots=True)
class Hold:
    """A time in which nothing may be done within a scope."""

    what: str
    #: `host`, `agent:NAME`, `rule:NAME`, `target:T`.
    scope: str
    from_seq: int
    to_seq: int = 2**63
    #: Steady time at which it ends by itself.
    until: float = float("inf")
    #: True where people are held as well.
    binds_people: bool = False

    def holds(self, act: Act) -> bool:
        """Tell whether an act falls into it."""
        covering = {_HOST, f"agent:{act.body.get('agent')}", f"rule:{act.body.get('rule')}", f"target:{act.target}"}
        within = self.from_seq < act.seq < self.to_seq and act.at < self.until - ROUNDING
        return within and self.scope in covering and (self.binds_people or act.by_engine)


def nothing_is_done_against_a_brake(record: Record) -> Iterator[Violation]:
    """R9: emergency stop, safe mode, pause, mode and dry run, each from the entry that set it to the one that lifted it."""
    holds = [*_stops(record), *_safe_modes(record), *_pauses(record), *_modes(record)]
    for act in record.acts:
        if act.body:
            for hold in holds:
                if hold.holds(act):
                    yield Violation("R9", f"{act.id} was done against {hold.what}", (act.id, f"entry {hold.from_seq}"))


def _stops(record: Record) -> Iterator[Hold]:
    since: ChainedEntry | None = None
    for each in record.of(EntryKind.ENGINE, "emergency_stop"):
        if each.entry.body.get("set"):
            since = since or each
        elif since is not None:
            by_hand = not _lifted_by_person(record, each)
            until = each.entry.at.steady - _NOTICED_WITHIN if by_hand else float("inf")
            yield Hold("the emergency stop", _HOST, since.seq, each.seq, until, binds_people=True)
            since = None
    if since is not None:
        end = record.entries[-1].entry.at.steady
        until = float("inf") if record.stop_is_set else end - _NOTICED_WITHIN
        yield Hold("the emergency stop", _HOST, since.seq, until=until, binds_people=True)


def _lifted_by_person(record: Record, lifted: ChainedEntry) -> bool:
    return any(lifted.seq - 3 <= each.seq < lifted.seq for each in record.of(EntryKind.HUMAN, "resume_emergency"))


def _safe_modes(record: Record) -> Iterator[Hold]:
    since: ChainedEntry | None = None
    for each in record.of(EntryKind.ENGINE, "safe_mode_on", "safe_mode_off"):
        if each.entry.id == "safe_mode_on":
            since = since or each
        elif since is not None:
            yield Hold("safe mode", _HOST, since.seq, each.seq)
            since = None
    if since is not None:
        yield Hold("safe mode", _HOST, since.seq)


def _pauses(record: Record) -> Iterator[Hold]:
    on: dict[str, ChainedEntry] = {}
    said, tried = record.of(EntryKind.HUMAN, "pause", "resume"), record.of(EntryKind.ENGINE, "agent_on_trial")
    for each in sorted([*said, *tried], key=lambda entry: entry.seq):
        # A person who resumes in stages lifts the pause of each agent as its turn comes.
        agent = each.entry.body.get("agent") if each.entry.kind is EntryKind.ENGINE else None
        scope = f"agent:{agent}" if agent is not None else str(each.entry.body.get("scope", _HOST))
        if (before := on.pop(scope, None)) is not None:
            yield _pause(before, scope, each.seq)
        if each.entry.id == "pause":
            on[scope] = each
    for scope, last in on.items():
        yield _pause(last, scope)


def _pause(set_by: ChainedEntry, scope: str, to_seq: int = 2**63) -> Hold:
    until = set_by.entry.at.steady + float(set_by.entry.body.get("for_seconds", 0.0))
    return Hold(f"the pause of {set_by.entry.actor}", scope, set_by.seq, to_seq, until)


def _modes(record: Record) -> Iterator[Hold]:
    """Yield the times of mode observe, which a person passes, and of dry runs, which nobody passes."""
    told = [each for each in record.of(EntryKind.ENGINE, "started", "reloaded") if "mode" in each.entry.body]
    ends = [*(each.seq for each in told[1:]), 2**63]
    for each, to_seq in zip(told, ends, strict=False):
        if each.entry.body["mode"] == "observe":
            yield Hold("mode observe", _HOST, each.seq, to_seq)
        if each.entry.body.get("dry_run"):
            yield Hold("a dry run", _HOST, each.seq, to_seq, binds_people=True)


def an_unknown_outcome_closes_its_target(record: Record) -> Iterator[Violation]:
    """R6: where nobody knows what the last action did, the engine does nothing more before a person has looked."""
    closed: dict[str, ChainedEntry] = {}
    for each in _in_order(record):
        entry = each.entry
        if entry.kind is EntryKind.OUTCOME and entry.body.get("outcome") == OutcomeKind.UNKNOWN.value:
            closed[str(entry.body.get("target"))] = each
        elif entry.kind is EntryKind.HUMAN:
            closed.pop(str(entry.body.get("scope", "")).removeprefix("target:"), None)
        elif entry.body.get("requested_by") == "engine" and (was := closed.get(str(entry.body.get("target")))) is not None:
            what = f"{entry.id} was done on {entry.body['target']} after {was.entry.id} ended unknown"
            yield Violation("R6", what, (entry.id, f"entry {was.seq}"))


def _in_order(record: Record) -> Iterable[ChainedEntry]:
    wanted = (EntryKind.OUTCOME, EntryKind.INTENT)
    return (each for each in record.entries if each.entry.kind in wanted or each.entry.id == "resume")


def nothing_is_done_in_a_storm(record: Record) -> Iterator[Violation]:
    """R3: what the storm brake saw was no less than the incidents that the record has, and it let nobody through then."""
    for act in record.acts_of_engine:
        asked = record.decision_of(act)
        answers = asked.entry.body.get("guards", ()) if asked is not None else ()
        said = next((str(each.get("value", "")) for each in answers if each.get("guard") == "storm_brake"), "")
        claim = _STORM.match(said)
        if asked is None or claim is None:
            continue
        failing = _failing(record, asked, seconds_of(claim[3]), str(act.body.get("agent")))
        if len(failing) > int(claim[1]):
            what = f"{act.id} was done when {len(failing)} targets failed, and the storm brake saw {claim[1]}"
            yield Violation("R3", what, (act.id, f"entry {asked.seq}"))


def _failing(record: Record, asked: ChainedEntry, within: float, agent: str) -> set[str]:
    at = asked.entry.at.steady
    decided = {
        (each.entry.body.get("rule"), each.entry.body.get("target"))
        for each in record.of(EntryKind.DECISION)
        if each.seq < asked.seq and each.entry.at.steady > at - ROUNDING
    }
    # What people took back is bad again, and no sign of a shared cause (R31).
    taken_back = {act.target: act.at for act in record.acts if "undoes" in act.body.get("params", {})}
    return {
        each.target
        for each in record.incidents
        if each.opened_at is not None
        # How many addresses attack is the attacker's to choose.
        and not each.target.startswith("address:")
        and at - within <= each.opened_at.steady <= at
        # What another agent found in that very moment came first where it was decided about before.
        and (each.agent == agent or each.opened_at.steady < at - ROUNDING or (each.rule, each.target) in decided)
        # The intent could be written in that moment: the state failed only after it.
        and not (each.rule == _STORE and each.opened_at.steady > at - ROUNDING)
        and not at - 2 * within <= taken_back.get(each.target, float("-inf")) <= each.opened_at.steady + ROUNDING
        # What was resolved in that very turn is over, though the ledger's rounded time says otherwise.
        and (each.resolved_at is None or each.resolved_at.steady > at + ROUNDING)
    }


def seconds_of(span: str) -> float:
    """Return the seconds of a length of time as guards write it: `1h5m`, `45s`."""
    sizes = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return float(sum(int(count) * sizes[unit] for count, unit in re.findall(r"(\d+)([dhms])", span)))
