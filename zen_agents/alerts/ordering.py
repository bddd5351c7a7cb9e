"""What is sent next out of all that is waiting: a pure choice that keeps the order within a dedup key.

For each channel and key the newest message speaks for all before it, so a trigger never follows its resolve. A resolve that
finds its trigger unsent takes it along: what nobody heard of needs no "it is over" - unless the trigger was pressing or may
have arrived after all, then the resolve is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field

from zen_agents.alerts.facts import list_fact
from zen_agents.alerts.policy import PAGERDUTY, AlertPolicy, StepCondition, is_email
from zen_agents.alerts.routing import is_pressing, later_step
from zen_agents.dataclass import dataclass
from zen_agents.model.message import MessageKind
from zen_agents.ports.store import OutboxRow

#: Kinds of which a newer one replaces an older one; all others are sent one by one.
_REPLACEABLE = frozenset({MessageKind.FIRING, MessageKind.RESOLVED, MessageKind.ENGINE, MessageKind.ROLL_UP})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about earlier deliveries."""

    #: Keys with an open page.
    open_pages: Collection[str] = ()
    #: (channel, key) of triggers that a channel took.
    delivered: Collection[tuple[str, str]] = ()
    #: Incidents that a person has.
    acknowledged: Collection[str] = ()


@dataclass(slots=True)
class Choice:
    """What to send, each entry one item made of one or more rows, and what needs no sending any more, with why."""

    send: list[tuple[OutboxRow, ...]] = field(default_factory=list)
    superseded: list[tuple[OutboxRow, str]] = field(default_factory=list)


def choose(pending: Iterable[OutboxRow], now: float, policy: AlertPolicy, known: Known) -> Choice:
    """Return what to do with the rows that wait, given in the order in which they were written."""
    choice, waiting = Choice(), list(pending)
    ripe: list[OutboxRow] = []
    soon: list[OutboxRow] = []
    for rows in _by_key(waiting).values():
        if not any(row.not_before <= now for row in rows):
            soon.append(rows[-1])
            continue
        choice.superseded += [(row, "superseded by a newer message") for row in rows[:-1]]
        reason = _needless(rows, now, policy, known)
        if reason:
            choice.superseded.append((rows[-1], reason))
        else:
            ripe.append(rows[-1])
    place = {row.id: number for number, row in enumerate(waiting)}
    choice.send = sorted(_bundles(ripe, soon, now, policy), key=lambda rows: place[rows[0].id])
    return choice


def _by_key(pending: Iterable[OutboxRow]) -> Mapping[tuple[str, str], list[OutboxRow]]:
    found: dict[tuple[str, str], list[OutboxRow]] = {}
    for row in pending:
        single = row.message.kind not in _REPLACEABLE
        key = f"{row.message.dedup_key}#{row.id}" if single else row.message.dedup_key
        found.setdefault((row.channel, key), []).append(row)
    return found


def _needless(rows: Sequence[OutboxRow], now: float, policy: AlertPolicy, known: Known) -> str:
    """Return why the newest row need not be sent, "" if it must."""
    newest = rows[-1]
    step = later_step(newest.message, newest.channel, policy)
    if step and step.when is StepCondition.NOT_ACKNOWLEDGED and newest.message.incident in known.acknowledged:
        return "a person has it"
    if newest.message.kind is not MessageKind.RESOLVED:
        return ""
    triggers = [row for row in rows[:-1] if row.message.kind is not MessageKind.RESOLVED]
    if not triggers or _was_heard(newest, known) or any(_may_have_arrived(row, now, policy) for row in triggers):
        return ""
    return "recovered before anybody was told"


def _was_heard(row: OutboxRow, known: Known) -> bool:
    heard = (row.channel, row.message.dedup_key) in known.delivered
    return heard or (row.channel == PAGERDUTY and row.message.dedup_key in known.open_pages)


def _may_have_arrived(row: OutboxRow, now: float, policy: AlertPolicy) -> bool:
    """Tell whether a trigger was tried, or was to be told whatever happens."""
    if row.attempts:
        return True
    step = later_step(row.message, row.channel, policy)
    if step and step.when is StepCondition.ALWAYS:
        return True
    return is_pressing(row.message) and row.not_before <= now


def _bundles(ripe: list[OutboxRow], soon: list[OutboxRow], now: float, policy: AlertPolicy) -> list[tuple[OutboxRow, ...]]:
    """Return mails of one group together, with those of the same group that would follow within its wait.

    Those that are about the same thing (`together`) are one group as well, whatever their rules.
    """
    groups: list[list[OutboxRow]] = []
    homes: dict[tuple[str, ...], list[OutboxRow]] = {}
    single: list[tuple[OutboxRow, ...]] = []
    for row in ripe:
        if not _groups(row):
            single.append((row,))
            continue
        home = _home(row, homes, policy)
        if home is None:
            groups.append(home := [])
        home.append(row)
        for key in (_group(row, policy), *_things(row)):
            homes.setdefault(key, home)
    for row in soon:
        waits_for_group = row.attempts == 0 and row.not_before <= now + policy.group_wait_seconds
        home = _home(row, homes, policy) if waits_for_group and _groups(row) else None
        if home and not later_step(row.message, row.channel, policy):
            home.append(row)
    return [*single, *(tuple(rows) for rows in groups)]


def _home(
    row: OutboxRow, homes: Mapping[tuple[str, ...], list[OutboxRow]], policy: AlertPolicy
) -> list[OutboxRow] | None:  # fmt: skip
    return next((homes[key] for key in (_group(row, policy), *_things(row)) if key in homes), None)


def _things(row: OutboxRow) -> list[tuple[str, ...]]:
    """Return what a mail is about, as keys beside those of `_group`; one that is pressing is told by itself."""
    if is_pressing(row.message):
        return []
    return [
        (row.channel, row.message.kind.value, "about", thing) for thing in list_fact(row.message.facts, "together", most=8)
    ]


def _groups(row: OutboxRow) -> bool:
    kinds = (MessageKind.FIRING, MessageKind.RESOLVED)
    return is_email(row.channel) and row.message.kind in kinds and bool(row.message.rule)


def _group(row: OutboxRow, policy: AlertPolicy) -> tuple[str, ...]:
    """Return what the mails of one group have in common; all are of one host."""
    message = row.message
    values = {"rule": message.rule, "agent": message.agent, "target": message.target}
    return (row.channel, message.kind.value, *(value for name, value in values.items() if name in policy.group_by))
