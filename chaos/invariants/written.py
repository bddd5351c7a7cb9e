"""Written before done, once each, and nothing of it lost: the ledger itself and R16."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chaos.invariants.record import Act, Record, kind_of
from chaos.invariants.violation import Violation
from zen_agents.model.action import OutcomeKind


def the_ledger_verifies(record: Record) -> Iterator[Violation]:
    """Every entry is what was written, none is missing, and every action has one."""
    if not record.audit.ok:
        yield Violation("ledger", record.audit.problem)


def each_intent_ends_once(record: Record) -> Iterator[Violation]:
    """An intent has one final outcome, or it is being verified; an outcome has an intent before it."""
    for id, times in Counter(act.id for act in record.acts).items():
        if times > 1:
            yield Violation("R16", f"{id} was reserved {times} times", (id,))
    for id in record.audit.unpaired_outcomes:
        yield Violation("R16", f"{id} ended without an intent, or twice", (id,))
    for act in record.acts:
        yield from _ends(record, act)


def _ends(record: Record, act: Act) -> Iterator[Violation]:
    ended = False
    for outcome in act.outcomes:
        final = kind_of(outcome).is_final
        if ended and not final:
            yield Violation("R16", f"{act.id} went on after it had ended", (act.id, f"entry {outcome.seq}"))
        ended = ended or final
    row = record.rows.get(act.id)
    if row is None:
        if not ended:
            yield Violation("R16", f"{act.id} never ended, and nobody verifies it", (act.id,))
        return
    last = kind_of(act.outcomes[-1]) if act.outcomes else OutcomeKind.RUNNING
    if act.body and row.kind is not last and not (act.outcomes and not act.outcomes[-1].entry.body):
        yield Violation("R16", f"{act.id} is {row.kind} in the state and {last} in the ledger", (act.id,))


def nothing_is_done_twice(record: Record) -> Iterator[Violation]:
    """No intent is performed a second time, by this engine or by the one after a crash; none is performed unwritten."""
    known = {act.id for act in record.acts}
    lines = Counter(line.id for line in record.log if line.kind == "INTENT")
    doors = Counter(record.witness.doors) if record.witness is not None else Counter()
    for id in {*lines, *doors}:
        if id not in known:
            yield Violation("R16", f"{id} was done, and the ledger does not know it", (id,))
    for id, times in [*lines.items(), *doors.items()]:
        if times > 1:
            yield Violation("R16", f"{id} was done {times} times", (id,))


def nothing_else_is_changed(record: Record) -> Iterator[Violation]:
    """What the host says was changed is what plans said they would touch, and no more often than there were intents."""
    if record.witness is None:
        return
    by_id = {act.id: act for act in record.acts}
    unnamed: Counter[str] = Counter()
    for deed in record.witness.deeds:
        act = by_id.get(deed.action)
        if deed.action and (act is None or not _touches(act, deed.resource)):
            yield Violation("R1", f"{deed.action} changed {deed.resource}, which its plan does not name", (deed.action,))
        elif not deed.action:
            unnamed[deed.resource] += 1
    for resource, times in unnamed.items():
        meant = sum(1 for act in record.acts if _touches(act, resource))
        if times > meant:
            yield Violation("R16", f"{resource} was changed {times} times with {meant} intents", (resource,))


def _touches(act: Act, resource: str) -> bool:
    return any(resource == each or resource.startswith(each.rstrip("/") + "/") for each in act.touches)
