"""The invariants of safety as one oracle: it reads what an engine left behind, and names every rule that was broken.

    violations(Path("/var/lib/zen-agents"))      # [] if the record shows nothing wrong

It goes by the ledger and the state alone, not by what the engine says of itself now, so it judges a run the same way
whether a test, a simulation, a chaos scenario or a power cut ended it. `UNSEEN` says what no ledger can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from chaos.invariants import brakes, limits, permission, telling, verification, written
from chaos.invariants.record import Deed, Record, Witness, read_record
from chaos.invariants.violation import Violation

__all__ = ["RULES", "UNSEEN", "Deed", "Violation", "Witness", "violations"]

#: Every rule that the record can show, in the order in which they are told.
RULES: tuple[Callable[[Record], Iterable[Violation]], ...] = (
    written.the_ledger_verifies,
    written.each_intent_ends_once,
    written.nothing_is_done_twice,
    written.nothing_else_is_changed,
    permission.every_act_was_asked_for,
    permission.every_target_is_named,
    permission.nothing_protected_is_touched,
    permission.rearming_replays_nothing,
    permission.people_have_names,
    permission.every_undo_is_a_persons_and_takes_back_what_has_ended,
    brakes.nothing_is_done_against_a_brake,
    brakes.nothing_is_done_in_a_storm,
    brakes.an_unknown_outcome_closes_its_target,
    limits.limits_hold,
    limits.one_action_at_a_time_on_a_target,
    limits.cooldowns_hold,
    limits.breakers_hold,
    limits.a_fix_that_keeps_coming_back_stops,
    verification.success_is_verified_and_held,
    telling.every_escalation_is_told,
    telling.every_alert_reaches_the_outbox,
    telling.people_are_told_once,
    telling.a_page_is_opened_once,
)

#: Rules of safety that this oracle cannot see, or sees only in part, and why; other tests hold them.
UNSEEN: Mapping[str, str] = {
    "R3": "how many failing targets are too many is the configuration's; that the brake saw them all is judged",
    "R5": "the ledger shows that the plan decided is the plan done, not that the target was looked at again",
    "R6": "the ledger does not say how long a rule's bake window is",
    "R8": "what woke a turn is not written down, so an echo of the engine's own change looks like any other change",
    "R9": "a stop that was set and lifted between two rounds of housekeeping leaves no entry; maintenance windows are the "
    "configuration's",
    "R10": "whether something could have been kept is the action's knowledge; the plan's own word is all that is written",
    "R12": "one host's ledger shows nothing of the other hosts",
    "R14": "memory, descriptors and children are measured from outside",
    "R15": "whether anybody is to hear is the configuration's: an empty outbox counts as nobody",
    "R17": "whether a text became an instruction shows only in what was done, which R1 and R11 judge",
    "R18": "how a child was started is not written down",
    "R19": "by which way a file was reached is not written down",
    "R20": "by which way a process was reached is not written down",
    "R21": "who may write configuration and state is looked at when they are read",
    "R23": "how a child was started is not written down",
    "R24": "who owned the target at that moment is the guard's answer alone",
    "R25": "which services are stateful is the configuration's",
    "R26": "what needs a person is the configuration's",
    "R27": "the modes and owners that are listed are the configuration's",
    "R28": "who stopped a unit is the guard's answer alone",
    "R29": "as whom a child ran is not written down",
    "R30": "there are no approvals yet",
    "R31": "that the target still was what the action had left is not written down; who undid what, and how often, is",
    "R32": "that a present-state check confirmed a log line is the guard's answer alone",
    "R33": "the scripts trust before they leave a trace",
    "R34": "whose state it is shows in files beside it",
    "R35": "where a directory was made is the witness's to say",
    "R36": "when a child was let go is not written down",
}


def violations(state: Path, *, host: Witness | None = None) -> list[Violation]:
    """Return every broken rule that the record in this state directory shows, with what a host says where one is given.

    Reads only, beside a running engine too (then an action under way is no violation). Raises StoreError if there is no
    record, or none that can be read.
    """
    record = read_record(state, host)
    return [violation for rule in RULES for violation in rule(record)]
