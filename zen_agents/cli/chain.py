"""The causal chain: check, decision, guards, action, verification, alert, one line each with what belongs to it below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zen_agents.cli.actions import show_effect
from zen_agents.cli.answers import sentence, show_answers, show_rule
from zen_agents.cli.call import Call
from zen_agents.cli.events import words
from zen_agents.cli.render import plural, say
from zen_agents.cli.times import took
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.reason import Reason

#: What belongs to a line stands so far in (columns).
_BELOW = 12
#: Lines of what a command printed that are shown in a chain.
_OUTPUT_LINES = 10
#: Waiting for what was just done is no news; -v shows it.
_NO_NEWS = frozenset({Reason.SETTLING, Reason.VERIFYING, Reason.NOT_HELD, Reason.ESCALATED, Reason.ACKNOWLEDGED})
#: Outcomes of an action that is not judged yet.
_NOT_FINAL = frozenset({"running", "verifying"})
#: Of what was seen before a repair: the fact, and its word. What changed on the host is told below the chain.
_EVIDENCE = (("processes", "process"), ("open_files", "open file"), ("stacks", "stack"), ("log", "log line"))
_LABELS = {EntryKind.HUMAN: "person", EntryKind.ENGINE: "engine"}


class Chain:
    """The ledger's entries about one matter, oldest first."""

    def __init__(self, call: Call, entries: Sequence[ChainedEntry]) -> None:
        self._call, self._entries = call, entries
        #: Action -> what it said it did, before that was verified.
        self._did: dict[str, Mapping[str, Any]] = {}
        for row in entries:
            if row.entry.kind is EntryKind.OUTCOME:
                self._did.setdefault(row.entry.id, row.entry.body)
        self._seen = ""
        #: What a retry repeats is shown once.
        self._shown_guards, self._shown_steps = False, list[str]()

    def show(self) -> None:
        """Print it."""
        for row in self._entries:
            kind = row.entry.kind
            if kind is EntryKind.DECISION:
                self._decision(row)
            elif kind is EntryKind.INTENT:
                self._action(row)
            elif kind is EntryKind.OUTCOME:
                self._outcome(row)
            elif kind is EntryKind.ENGINE and row.entry.id == "evidence" and row.entry.body:
                self._evidence(row)
            else:
                text = words(row) if kind is not EntryKind.HUMAN else f"{row.entry.id} by {words(row)}"
                self._line(row, _LABELS.get(kind, kind.value), text if kind in _LABELS else f"{row.entry.id} {text}")

    def _line(self, row: ChainedEntry, label: str, text: str, paint: str = "") -> None:
        at = self._call.clock(row.entry.at.wall)
        say(self._call, f"{at}  {label:9} {text}", hang=_BELOW, paint=paint)

    def _decision(self, row: ChainedEntry) -> None:
        facts = row.entry.body
        self._seen = str(facts.get("seen") or "")
        if facts.get("reason") in _NO_NEWS and not self._call.arguments.verbose:
            return
        self._line(row, "decision", f"{row.entry.id} {_decided(facts)}")
        every = bool(self._call.arguments.verbose)
        guards = facts.get("guards") or ()
        if facts.get("outcome") != "act" and not every:
            guards = [answer for answer in guards if answer["ruling"] != "allow"]
        elif self._shown_guards and not every:
            say(self._call, f"{len(guards)} guards were asked, all passed (-v shows each)", indent=_BELOW)
            return
        self._shown_guards |= facts.get("outcome") == "act"
        show_rule(self._call, facts, indent=_BELOW)
        show_answers(self._call, guards, about=facts, indent=_BELOW, every=every)

    def _evidence(self, row: ChainedEntry) -> None:
        facts, every = row.entry.body, bool(self._call.arguments.verbose)
        found = {word: facts[name] for name, word in _EVIDENCE if facts.get(name)}
        counted = ", ".join(_counted(len(lines), word) for word, lines in found.items())
        opened = f"open {facts['descriptors']}" if facts.get("descriptors") else ""
        text = "; ".join(filter(None, (str(facts.get("host") or ""), opened, counted)))
        self._line(
            row, "evidence", f"before {facts.get('before')}: {text}{'' if every or not found else ' (-v shows them)'}"
        )
        for word, lines in found.items() if every else ():
            for line in lines:
                say(self._call, f"{word:9} {line}", indent=_BELOW, hang=10)

    def _action(self, row: ChainedEntry) -> None:
        facts, did = row.entry.body, self._did.get(row.entry.id)
        after = " and has not ended" if did is None else f" in {took(float(did.get('took_seconds') or 0))}"
        by = facts.get("requested_by", row.entry.actor)
        text = f"{row.entry.id} {facts.get('action')} {facts.get('target')}{after}{'' if by == 'engine' else f', by {by}'}"
        self._line(row, "action", text)
        steps = list(facts.get("steps") or ())
        for step in steps if steps != self._shown_steps else ():
            say(self._call, f"{'step':9} {step}", indent=_BELOW, hang=10)
        self._shown_steps = steps
        show_effect(self._call, did or {}, indent=_BELOW, lines=_OUTPUT_LINES)

    def _outcome(self, row: ChainedEntry) -> None:
        facts = row.entry.body
        outcome = str(facts.get("outcome"))
        if outcome in _NOT_FINAL and not self._call.arguments.verbose:
            return
        judged = row.entry.body is not self._did.get(row.entry.id)
        after = f" after {took(float(facts.get('took_seconds') or 0))}" if judged else ""
        seen = f": {self._seen}" if judged and self._seen else ""
        word = outcome.upper()
        self._line(row, "verify" if judged else "outcome", f"{row.entry.id} {word}{after}{seen}", paint=word)


def _counted(count: int, word: str) -> str:
    return f"{count} processes" if word == "process" and count != 1 else plural(count, word)


def _decided(facts: Mapping[str, Any]) -> str:
    outcome, reason = str(facts.get("outcome")).upper(), str(facts.get("reason"))
    what = " ".join(filter(None, (outcome, str(facts.get("action", "")), str(facts.get("target")))))
    if outcome == "ACT":
        return f"{what}, {facts.get('detail')}: {sentence(reason)}"
    detail = facts.get("detail") if outcome == "SKIP" and not facts.get("guards") else ""
    return f"{what}: {reason} - {sentence(reason)}{f' ({detail})' if detail else ''}"


def chain_body(entries: Iterable[ChainedEntry]) -> list[dict[str, Any]]:
    """Return the chain as plain JSON."""
    return [
        {"record": row.seq, "kind": row.entry.kind.value, "id": row.entry.id, "at": row.entry.at.wall.isoformat(),
         "actor": row.entry.actor, "body": dict(row.entry.body)}
        for row in entries
    ]  # fmt: skip
