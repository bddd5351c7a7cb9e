"""Success is verified and held (R6)."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.invariants.record import Act, Record, kind_of
from chaos.invariants.violation import Violation
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry
from zen_agents.model.observation import Status


def success_is_verified_and_held(record: Record) -> Iterator[Violation]:
    """What counts as verified had ended, and then its incident was decided to be over, with its check saying OK."""
    for act in record.acts_of_engine:
        for outcome in act.outcomes:
            if kind_of(outcome) is OutcomeKind.VERIFIED and act.seq > record.kept_after:
                yield from _verified(record, act, outcome)


def _verified(record: Record, act: Act, outcome: ChainedEntry) -> Iterator[Violation]:
    # A disk that refused it may have swallowed the entry that says when the action itself had ended.
    ended = next((each.seq for each in act.outcomes if kind_of(each) is OutcomeKind.VERIFYING), act.seq)
    over = [
        each
        for each in record.decisions(act.intent.entry.incident)
        if ended < each.seq < outcome.seq and each.entry.body.get("outcome") == "resolve"
    ]
    if not over and not _is_known_to_be_over(record, act):
        yield Violation("R6", f"{act.id} counts as verified, and nobody decided that its incident is over", (act.id,))
    elif over and over[-1].entry.body.get("status") != Status.OK.value:
        what = f"{act.id} counts as verified while its check said {over[-1].entry.body.get('status')}"
        yield Violation("R6", what, (act.id, f"entry {over[-1].seq}"))


def _is_known_to_be_over(record: Record, act: Act) -> bool:
    """Tell whether the incident itself says so: its row outlasts a batch that took the decision with it."""
    incident = next((each for each in record.incidents if each.id == act.intent.entry.incident), None)
    return incident is not None and incident.resolved_at is not None and incident.last_status is Status.OK
