"""The facts a `Message` may carry, by name: what the engine fills in and what the renderers show.

All are optional and all may hold untrusted text (a check's detail, a log line): renderers strip control characters, cut to
length and escape. Commands are never taken from a fact; the renderers build them from the ids of the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class Facts(TypedDict, total=False):
    """Facts of a message. Times are ISO 8601 with an offset unless they stand in a text that people read."""

    #: The first line, as a sentence: "STILL DOWN. web does not answer since ...". Built from the others if missing.
    headline: str
    #: What is seen now: "connection refused, 3 of 3 checks". For a resolved one: "RECOVERED after 4 min, by ...".
    state: str
    #: When it began.
    since: str
    #: What the engine did, one line an attempt, oldest first: "TIME  restart_service web -> FAILED  act-7m3x". A TIME in
    #: ISO 8601 with an offset is shown on the reader's clock; any other stays as it is.
    did: list[str]
    #: Why the rule says that it is bad: the rule's own sentence.
    why: str
    #: What happens next if nobody does anything.
    next: str
    #: Changes on the host that may have to do with it, one line each, in the same form.
    related: list[str]
    #: What it is about, one line each, as `address 203.0.113.5`: mails about the same may be one.
    together: list[str]
    #: What the engine did and how somebody else undid it, both sides by turns, in the same form.
    fight: list[str]
    #: What is down for its sake and is not told by itself, one line each, in the same form.
    explains: list[str]
    #: Address or path of the rule's page.
    runbook: str
    #: `file:line:column` of the rule.
    origin: str
    #: Ids of this incident's own actions that `undo` can take back.
    undo: list[str]
    #: Names of this incident's own actions that nothing can take back.
    lasting: list[str]
    #: One line about the host: load, memory, disk, uptime.
    host: str
    #: The last lines of the log, and where they are from.
    log: list[str]
    log_source: str
    #: Taken before the repair: the largest and the busiest processes, and what the process that was repaired had open.
    processes: list[str]
    open_files: list[str]
    #: What the rule judged as it was seen of late, a line each: o up, x down, A action; a measurement also with its values.
    signal: list[str]
    #: Of that process: how many descriptors of which kind, and a line for each thread, where it stood.
    descriptors: str
    stacks: list[str]
    #: Mode and budget: "enforce, 1 of 5 repairs this hour".
    mode: str
    #: For a question: the approval's id, and what it could cost and exactly what would be done, one line each.
    approval: str
    asks: list[str]
    #: For a change: the action's id, outcome, and who asked for it.
    action: str
    outcome: str
    by: str
    #: For a roll-up and a digest: one line each, and how many there are in all (the lines may be fewer).
    lines: list[str]
    count: int
    #: For a digest: the ledger's signed head, `812:7c1e...`.
    head: str


#: Facts whose change is no news: they age or are counted by themselves.
AGEING = frozenset(
    {"host", "log", "log_source", "processes", "open_files", "related", "together", "signal", "mode", "headline", "since"}
)

#: No single fact is rendered longer than this many characters.
LONGEST = 4000


def text_fact(facts: Mapping[str, Any], name: str) -> str:
    """Return a fact as bounded text; "" if it is missing."""
    value = facts.get(name, "")
    return "" if value is None else str(value)[:LONGEST]


def list_fact(facts: Mapping[str, Any], name: str, *, most: int) -> list[str]:
    """Return up to `most` lines of a list fact; a single text counts as one line."""
    value = facts.get(name) or ()
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, (list, tuple)):
        return []
    return [str(line)[:LONGEST] for line in list(lines)[:most]]
