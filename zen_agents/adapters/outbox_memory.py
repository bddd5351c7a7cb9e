"""What the outbox remembers between two messages: what was told last, what is held back, how much went out this hour.

Bounded, and kept in the store as one named fact, so that a restart neither repeats what was told nor forgets what is due.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from zen_agents.adapters.sqlite_store_rows import message_json, message_of
from zen_agents.alerts.roll_up import MOST_KEYS, HeldBack
from zen_agents.dataclass import dataclass
from zen_agents.errors import StoreError
from zen_agents.model.message import Message, MessageKind
from zen_agents.ports.store import OUTBOX_MEMORY, Store

log = logging.getLogger("zen_agents.outbox")

MOST_TOLD = 200
#: Ends the key under which a trigger is remembered after its resolve, until that is delivered.
OVER = "#over"
_HOUR = 3600.0


@dataclass(slots=True)
class Told:
    """The last trigger told under one key; once that is over, with the resolve in the place of its message."""

    message: Message
    #: Digest of what is news about it.
    digest: str
    #: Steady time.
    told_at: float
    #: Subject with which its thread of mails began.
    subject: str
    channels: tuple[str, ...]
    #: Channels that took it.
    delivered: set[str] = field(default_factory=set)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "message": message_json(self.message),
            "digest": self.digest,
            "told_at": self.told_at,
            "subject": self.subject,
            "channels": list(self.channels),
            "delivered": sorted(self.delivered),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Told:
        """Return what `to_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            message=message_of(values["message"]),
            digest=str(values["digest"]),
            told_at=float(values["told_at"]),
            subject=str(values["subject"]),
            channels=tuple(str(channel) for channel in values["channels"]),
            delivered={str(channel) for channel in values["delivered"]},
        )


@dataclass(slots=True)
class Memory:
    """All of it; changed by the outbox, which sets `changed`."""

    #: Dedup key -> the last trigger; with `OVER` behind it once that is over.
    told: dict[str, Told] = field(default_factory=dict)
    #: Channel -> what it is not told one by one, the keys in its roll-ups, and when its next roll-up may go.
    held: dict[str, HeldBack] = field(default_factory=dict)
    rolled: dict[str, set[str]] = field(default_factory=dict)
    next_roll_up: dict[str, float] = field(default_factory=dict)
    #: Row id -> steady time of its first failure.
    failing: dict[int, float] = field(default_factory=dict)
    #: Local date of the last digest.
    digest_day: str = ""
    #: Local date for which every channel was last tried.
    self_test_day: str = ""
    changed: bool = False
    _recent: dict[str, deque[float]] = field(default_factory=dict)

    def remember(self, key: str, told: Told) -> None:
        """Keep the last trigger of a key; of too many, the oldest goes."""
        self.told.pop(key, None)
        self.told[key] = told
        while len(self.told) > MOST_TOLD:
            del self.told[next(iter(self.told))]
        self.changed = True

    def roll(self, channel: str, short: str) -> bool:
        """Note that a key is part of a channel's roll-up; return False if it is already."""
        keys = self.rolled.setdefault(channel, set())
        if short in keys:
            return False
        if len(keys) < MOST_KEYS:
            keys.add(short)
        self.changed = True
        return True

    def unroll(self, short: str) -> tuple[bool, list[str]]:
        """Forget a key in all roll-ups; return whether it was in one, and the channels whose roll-up is now empty."""
        was_in, emptied = False, []
        for channel, keys in list(self.rolled.items()):
            if short not in keys:
                continue
            keys.discard(short)
            was_in = self.changed = True
            if not keys:
                del self.rolled[channel]
                emptied.append(channel)
        return was_in, emptied

    def may_send(self, channel: str, most: int, now: float) -> bool:
        """Count one message of a channel; return False, and do not count it, when its hour is full."""
        recent = self._recent.setdefault(channel, deque(maxlen=max(most, 1)))
        while recent and recent[0] <= now - _HOUR:
            recent.popleft()
        if len(recent) >= most:
            return False
        recent.append(now)
        return True

    def assume_sent(self, channel: str, count: int, most: int, now: float) -> None:
        """Count what went out before a restart as if it went out just now: a restart does not open the flood-gate."""
        self._recent[channel] = deque([now] * min(count, most), maxlen=max(most, 1))

    def save(self, store: Store) -> None:
        """Write what changed within the pending batch. Raises StoreError."""
        if not self.changed or not store.writable():
            return
        values = {
            "told": [told.to_json() for told in self.told.values()],
            "held": {channel: held.to_json() for channel, held in self.held.items() if held.count},
            "rolled": {channel: sorted(keys) for channel, keys in self.rolled.items()},
            "next_roll_up": self.next_roll_up,
            "failing": [[id, at] for id, at in self.failing.items()],
            "digest_day": self.digest_day,
            "self_test_day": self.self_test_day,
        }
        store.put(OUTBOX_MEMORY, json.dumps(values, separators=(",", ":")))
        self.changed = False


def load_memory(store: Store) -> Memory:
    """Return what the store remembers; a fresh memory if it cannot tell, so that people are rather told twice (R4)."""
    memory = Memory()
    try:
        text = store.get(OUTBOX_MEMORY)
        if text:
            _fill(memory, json.loads(text))
    except (StoreError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("what was told before cannot be read, some messages may come again: %s", error)
        return Memory()
    return memory


def _fill(memory: Memory, values: Mapping[str, Any]) -> None:
    for one in values["told"]:
        told = Told.from_json(one)
        over = OVER if told.message.kind is MessageKind.RESOLVED else ""
        memory.told[f"{told.message.dedup_key}{over}"] = told
    memory.held = {str(channel): HeldBack.from_json(held) for channel, held in values["held"].items()}
    memory.rolled = {str(channel): {str(key) for key in keys} for channel, keys in values["rolled"].items()}
    memory.next_roll_up = {str(channel): float(at) for channel, at in values["next_roll_up"].items()}
    memory.failing = {int(id): float(at) for id, at in values["failing"]}
    memory.digest_day = str(values["digest_day"])
    # An earlier release did not keep it.
    memory.self_test_day = str(values.get("self_test_day", ""))
