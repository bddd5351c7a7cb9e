"""Asked before done: who wanted it, what it rested on, and what every guard said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chaos.invariants.record import Act, Record, kind_of
from chaos.invariants.violation import Violation
from zen_agents.catalog import GUARDS
from zen_agents.guards import protected_names
from zen_agents.guards.patterns import matches
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.observation import Status
from zen_agents.model.principal import ENGINE

_GUARDS = tuple(guard.name for guard in GUARDS)
#: People's acts that lift a brake.
_LIFTING = ("resume", "resume_emergency", "safe_mode")


def every_act_was_asked_for(record: Record) -> Iterator[Violation]:
    """R4, R2, R5: before each intent a decision on a PROBLEM, an ALLOW of every guard, and this very plan."""
    for act in record.acts:
        if not act.body or act.seq <= record.kept_after:
            continue
        asked = record.decision_of(act) if act.by_engine else wish_of(record, act)
        if asked is None:
            by = "a decision" if act.by_engine else "a person's word"
            yield Violation("R4", f"{act.id} was done without {by} before it", (act.id,))
            continue
        evidence = (act.id, f"entry {asked.seq}")
        yield from _asked_all(asked.entry.body, act, evidence)
        if act.by_engine:
            yield from _decided(asked.entry.body, act, evidence)
            if (earlier := _act_of_same_decision(record, act, asked)) is not None:
                yield Violation("R4", f"{act.id} rests on the decision that {earlier} was done for", evidence)


def _asked_all(body: Mapping[str, Any], act: Act, evidence: Sequence[str]) -> Iterator[Violation]:
    answers = {str(each.get("guard")): str(each.get("ruling")) for each in body.get("guards", ())}
    if missing := [name for name in _GUARDS if name not in answers]:
        yield Violation("R4", f"{act.id} was done without asking {', '.join(missing)}", tuple(evidence))
    if refused := [name for name, ruling in answers.items() if ruling != "allow"]:
        yield Violation("R4", f"{act.id} was done against {', '.join(refused)}", tuple(evidence))


def _decided(body: Mapping[str, Any], act: Act, evidence: Sequence[str]) -> Iterator[Violation]:
    if body.get("outcome") != "act":
        yield Violation("R4", f"{act.id} was done although {body.get('outcome')} was decided", tuple(evidence))
    if body.get("status") != Status.PROBLEM.value:
        yield Violation("R2", f"{act.id} was done while its check said {body.get('status')}", tuple(evidence))
    if (body.get("plan") or {}).get("digest") != act.body.get("digest"):
        yield Violation("R5", f"{act.id} is not the plan that was decided", tuple(evidence))


def _act_of_same_decision(record: Record, act: Act, asked: ChainedEntry) -> str | None:
    between = (each for each in record.acts if asked.seq < each.seq < act.seq)
    return next((each.id for each in between if each.intent.entry.incident == act.intent.entry.incident), None)


def wish_of(record: Record, act: Act) -> ChainedEntry | None:
    """Return the entry in which a person asked for this act: the last one of the same person, action and target."""
    for each in reversed(list(record.of(EntryKind.HUMAN, "act", "undo"))):
        body = each.entry.body
        # An undo is asked for by what it takes back.
        what = ("undoes", undone_by(act)) if each.entry.id == "undo" else ("action", act.action)
        named = (each.entry.actor, body.get(what[0]), body.get("target"))
        if each.seq < act.seq and named == (act.intent.entry.actor, what[1], act.target):
            return each
    return None


def undone_by(act: Act) -> str:
    """Return the id of the action that an act takes back; "" if it is no undo."""
    return str((act.body.get("params") or {}).get("undoes", ""))


def every_undo_is_a_persons_and_takes_back_what_has_ended(record: Record) -> Iterator[Violation]:
    """R31: no undo by the engine, none of what still ran, and none of what was undone."""
    ended = {act.id: act.held_until for act in record.acts}
    undone: set[str] = set()
    for act in record.acts:
        if not (taken := undone_by(act)):
            continue
        evidence = (act.id, taken)
        if act.by_engine:
            yield Violation("R31", f"{act.id} undoes {taken}, and nobody asked for it", evidence)
        if ended.get(taken, 0) > act.seq:
            yield Violation("R31", f"{act.id} undoes {taken}, which had not ended", evidence)
        if taken in undone:
            yield Violation("R31", f"{act.id} undoes {taken}, which was undone already", evidence)
        if act.final is not None and kind_of(act.final) is OutcomeKind.VERIFIED:
            undone.add(taken)


def every_target_is_named(record: Record) -> Iterator[Violation]:
    """R1: no intent without a target and the things it touches."""
    for act in record.acts:
        name = act.target.rpartition(":")[2]
        if act.body and (name.strip() in {"", "*", "all"} or not act.touches):
            yield Violation("R1", f"{act.id} has the target {act.target!r} and touches {len(act.touches)} things", (act.id,))


def nothing_protected_is_touched(record: Record) -> Iterator[Violation]:
    """R11: not even by a person's act, but for the few exceptions of its own that an action has, once a person agreed."""
    for act in record.acts:
        for resource in act.touches:
            kind, _, name = resource.partition(":")
            if _is_protected(kind, name) and not (kind == "path" and _is_exempt(record, act, name)):
                yield Violation("R11", f"{act.id} touches {resource}", (act.id,))


def _is_exempt(record: Record, act: Act, path: str) -> bool:
    taken = undone_by(act)
    action = next((each.action for each in record.acts if each.id == taken), act.action)
    unit = protected_names.unit_of(path)
    if not protected_names.is_exempt(action, path) or _is_protected("unit", unit):
        return False
    # What ends another action rests on the last one of these alone: an older yes was for an older one.
    ends = protected_names.ENDS.get(action)
    begun = [each for each in record.acts if each.seq < act.seq and (each.action, each.target) == (ends, act.target)]
    return any(not each.by_engine or _was_agreed_to(record, each) for each in (act, *begun[-1:]))


def _was_agreed_to(record: Record, act: Act) -> bool:
    asked = record.decision_of(act)
    answers = asked.entry.body.get("guards", ()) if asked is not None else ()
    return any(each.get("guard") == "approval" and " approved by " in str(each.get("value")) for each in answers)


def _is_protected(kind: str, name: str) -> bool:
    if kind in ("unit", "service"):
        return matches(name if kind == "unit" else f"{name}.service", protected_names.UNITS)
    if kind == "path":
        alike = tuple(each for each in protected_names.PATHS if each.count("/") == name.count("/"))
        return matches(name, alike) or any(f"{name}/".startswith(f"{tree}/") for tree in protected_names.TREES)
    return kind == "process" and name.partition(":")[0] == "1"


def rearming_replays_nothing(record: Record) -> Iterator[Violation]:
    """R13: what is done after a brake was lifted was decided after it was lifted."""
    lifted = [each.seq for each in record.of(EntryKind.HUMAN, *_LIFTING) if each.entry.body.get("on") is not True]
    for act in record.acts_of_engine:
        asked = record.decision_of(act)
        if asked is not None and any(asked.seq < seq < act.seq for seq in lifted):
            yield Violation("R13", f"{act.id} was decided before a brake was lifted, and done after it", (act.id,))


def people_have_names(record: Record) -> Iterator[Violation]:
    """R22: a human act carries a person's name and login uid."""
    for each in record.of(EntryKind.HUMAN):
        actor, body = each.entry.actor.strip(), each.entry.body
        if not actor or actor == ENGINE.name or (body and not isinstance(body.get("uid"), int)):
            yield Violation("R22", f"{each.entry.id!r} was asked for by nobody: {actor!r}", (f"entry {each.seq}",))
