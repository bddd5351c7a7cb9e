"""Many messages told as one, so that a storm of problems is not a storm of mail (R14)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.facts import list_fact
from zen_agents.alerts.plain_text import one_line
from zen_agents.alerts.sections import subject_name, without_host
from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity

#: Lines kept of what is held back; the rest is counted.
MOST_LINES = 36
#: Keys remembered, so that the roll-up's page is closed when all of them have recovered.
MOST_KEYS = 20_000


@dataclass(slots=True)
class HeldBack:
    """What one channel is not told one by one. Bounded, whatever comes."""

    count: int = 0
    #: Steady time of the first since the last roll-up.
    since: float = 0.0
    severity: Severity = Severity.INFO
    urgent: bool = False
    lines: list[str] = field(default_factory=list)
    #: Rule -> how many, for the guess at a common cause.
    rules: Counter[str] = field(default_factory=Counter)

    def add(self, message: Message, context: AlertContext, now: Instant) -> None:
        """Count a message in."""
        if not self.count:
            self.since = now.steady
        self.count += 1
        self.severity = max(self.severity, message.severity, key=lambda severity: severity.rank)
        self.urgent = self.urgent or message.urgent
        if len(self.lines) < MOST_LINES:
            self.lines.append(line_of(message, context))
        if message.rule in self.rules or len(self.rules) < 50:
            self.rules[message.rule] += 1

    def message(self, channel: str, context: AlertContext, now: Instant) -> Message:
        """Return the one message for all of them."""
        common, times = self.rules.most_common(1)[0] if self.rules else ("", 0)
        cause = f"; {times} of them are {common}" if common and times > 1 else ""
        minutes = max(1, round((now.steady - self.since) / 60))
        what = f"{self.count} more messages in {minutes} min - probably one cause{cause}"
        return Message(
            id=new_id(ALERT),
            kind=MessageKind.ROLL_UP,
            severity=self.severity,
            at=now,
            dedup_key=roll_up_key(channel, context),
            summary=f"{context.host_name}: {what}",
            facts={
                "why": "More messages came than max_per_hour lets through one by one; these are told together.",
                "lines": list(self.lines),
                "count": self.count,
            },
            urgent=self.urgent,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "count": self.count,
            "since": self.since,
            "severity": self.severity.value,
            "urgent": self.urgent,
            "lines": list(self.lines),
            "rules": dict(self.rules),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> HeldBack:
        """Return what `to_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            count=int(values["count"]),
            since=float(values["since"]),
            severity=Severity(values["severity"]),
            urgent=bool(values["urgent"]),
            lines=[str(line) for line in values["lines"]][:MOST_LINES],
            rules=Counter({str(rule): int(count) for rule, count in values["rules"].items()}),
        )


def roll_up_key(channel: str, context: AlertContext) -> str:
    """Return the key of a channel's roll-up; one at a time is open."""
    return f"{context.host_name}/engine|roll_up:{channel}"


def short_key(dedup_key: str) -> str:
    """Return a key shortened to 12 characters, for remembering many."""
    return hashlib.blake2s(dedup_key.encode(errors="replace"), digest_size=6).hexdigest()


def line_of(message: Message, context: AlertContext) -> str:
    """Return one line about a message: severity, what, and its incident."""
    incident = f"  {message.incident}" if message.incident else ""
    return one_line(f"{message.severity.value:<8}  {without_host(message, context)}{incident}", 160)


def bundle(messages: Sequence[Message], context: AlertContext, now: Instant) -> Message:
    """Return one message for several of the same kind that are due together; there is at least one."""
    first, rule, agent = messages[0], _same(each.rule for each in messages), _same(each.agent for each in messages)
    thing = "" if rule else _thing(messages)
    common = rule or thing or _same(each.target for each in messages) or agent or "all"
    names = ", ".join(dict.fromkeys(subject_name(message) for message in messages))
    word = "recovered" if first.kind is MessageKind.RESOLVED else "need you"
    which = f"{len(messages)} {'about' if thing else 'of'} {one_line(common, 80)}"
    worst = max((message.severity for message in messages), key=lambda severity: severity.rank)
    return Message(
        id=first.id,
        kind=MessageKind.ROLL_UP,
        severity=worst,
        at=now,
        dedup_key=f"{context.host_name}/{common}|together",
        summary=f"{context.host_name}: {which} {word}: {one_line(names, 200)}",
        facts={
            "why": _why(first if rule else None, thing),
            "lines": [line_of(message, context) for message in messages[:MOST_LINES]],
            "count": len(messages),
            "mode": str(first.facts.get("mode", "")),
        },
        agent=agent,
        rule=rule,
        urgent=any(message.urgent for message in messages),
    )


def _why(first: Message | None, thing: str) -> str:
    if first is not None:
        return str(first.facts.get("why", ""))
    return f"They are about the same {thing}." if thing else ""


def _thing(messages: Sequence[Message]) -> str:
    """Return what all are about, "" if that is not one thing."""
    about = [set(list_fact(message.facts, "together", most=8)) for message in messages]
    return min(set.intersection(*about), default="")


def _same(values: Iterable[str]) -> str:
    """Return what all are, "" if they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def digest_message(lines: Sequence[str], *, count: int, context: AlertContext, now: Instant, head: str = "") -> Message:
    """Return the daily digest: what was done and went well, what is still open, and the ledger's head to be kept."""
    what = f"{count} thing{'s' if count != 1 else ''} in the last day" if count else "nothing happened in the last day"
    return Message(
        id=new_id(ALERT),
        kind=MessageKind.DIGEST,
        severity=Severity.INFO,
        at=now,
        dedup_key=f"{context.host_name}/engine|digest",
        summary=f"{context.host_name}: {what}",
        facts={"lines": list(lines)[:MOST_LINES], "count": count, "head": head},
    )
