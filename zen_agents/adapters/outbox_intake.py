"""What becomes of a message that is told: which rows are written for it, now or later, and what is held back."""

from __future__ import annotations

import logging
from dataclasses import replace
from math import inf

from zen_agents.adapters.outbox_calendar import resolve_of_orphan, roll_up_resolved
from zen_agents.adapters.outbox_memory import OVER, Memory, Told
from zen_agents.adapters.outbox_rows import OutboxRows
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.items import first_subject
from zen_agents.alerts.policy import PAGERDUTY, AlertPolicy
from zen_agents.alerts.roll_up import HeldBack, short_key
from zen_agents.alerts.routing import Dispatch, dispatches, fact_digest, first_channels, resolved_dispatches
from zen_agents.clock import Clock, Instant
from zen_agents.errors import StoreError
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.message import Message, MessageKind
from zen_agents.ports.store import OutboxRow, Store

log = logging.getLogger("zen_agents.outbox")

#: Kinds that open something which a resolve closes.
TRIGGERS = (MessageKind.FIRING, MessageKind.ENGINE)
#: The next roll-up of a channel comes not before this many seconds.
_ROLL_UP_EVERY = 900.0


class Intake:
    """Turns messages into rows by the policy, within the limits of each channel."""

    def __init__(
        self, *, store: Store, rows: OutboxRows, memory: Memory, clock: Clock, policy: AlertPolicy, context: AlertContext
    ) -> None:
        self._store, self._rows, self._clock = store, rows, clock
        self.memory, self.policy, self.context = memory, policy, context
        self._assume_sent()
        self._recall_aside()

    def accept(self, message: Message, now: Instant) -> None:
        """Write what a message needs, unless the same was told a short while ago."""
        if message.kind is MessageKind.RESOLVED:
            self._accept_resolved(message, now)
        elif message.kind in TRIGGERS:
            self._accept_trigger(message, now)
        else:
            for dispatch in dispatches(message, self.policy, now):
                self.put(message, dispatch, now)

    def tell_over(self, message: Message, channels: tuple[str, ...], now: Instant) -> None:
        """Write what a trigger needs for these channels alone, unless the same was told a short while ago."""
        self._accept_trigger(message, now, (Dispatch(channels, now.steady),) if channels else ())

    def _accept_trigger(self, message: Message, now: Instant, only: tuple[Dispatch, ...] | None = None) -> None:
        key, digest = message.dedup_key, fact_digest(message)
        told = self.memory.told.get(key)
        if told and told.digest == digest and now.steady - told.told_at < self.policy.repeat_every_seconds:
            return
        taken: list[str] = []
        found = only
        if found is None:
            found = dispatches(message, self.policy, now, incidents_open=self._incidents_open())
        if not found:
            log.warning("no channel is configured to hear of: %s", message.summary)
        for dispatch in found:
            taken += self.put(message, dispatch, now)
        if not taken:
            return
        self._remember(message, digest, taken, now)

    def _remember(self, message: Message, digest: str, taken: list[str], now: Instant) -> None:
        told = self.memory.told.get(message.dedup_key)
        same_incident = told is not None and told.message.incident == message.incident
        self.memory.remember(
            message.dedup_key,
            Told(
                message=message,
                digest=digest,
                told_at=now.steady,
                subject=told.subject if told and same_incident else first_subject(message, self.context),
                channels=tuple(dict.fromkeys((*(told.channels if told else ()), *taken))),
                delivered=told.delivered if told and same_incident else set(),
            ),
        )

    def _remember_over(self, told: Told, message: Message, now: Instant) -> None:
        self.memory.told.pop(message.dedup_key, None)
        self.memory.remember(f"{message.dedup_key}{OVER}", replace(told, message=message, told_at=now.steady))

    def took(self, row: OutboxRow) -> None:
        """Remember that a channel took a row: it is to hear the end of what it heard of, in the same thread."""
        key = row.message.dedup_key
        if row.message.kind is MessageKind.RESOLVED:
            over = self.memory.told.get(f"{key}{OVER}")
            if over:
                over.delivered.discard(row.channel)
            if over and not over.delivered:
                del self.memory.told[f"{key}{OVER}"]
        elif told := self.memory.told.get(key):
            told.delivered.add(row.channel)
        self.memory.changed = True

    def _accept_resolved(self, message: Message, now: Instant) -> None:
        was_rolled, emptied = self.memory.unroll(short_key(message.dedup_key))
        for channel in emptied:
            over = roll_up_resolved(channel, self.context, now)
            self._rows.add(over, (channel,), now.steady)
        told = self.memory.told.pop(message.dedup_key, None)
        if told is None and was_rolled:
            return
        self.memory.changed = True
        channels = tuple(
            channel
            for channel in (told.channels if told else first_channels(message, self.policy))
            # What was never told here has no page, unless the list of open pages says so.
            if told or channel != PAGERDUTY
        )
        if message.dedup_key in self.open_pages():
            channels = (*channels, PAGERDUTY)
        if told:
            self._remember_over(told, message, now)
        for dispatch in resolved_dispatches(channels, self.policy, now):
            self.put(message, dispatch, now)

    def put(self, message: Message, dispatch: Dispatch, now: Instant) -> list[str]:
        """Write a row for each channel whose hour is not full, hold the message back for the others; return the former."""
        taken = [channel for channel in dispatch.channels if self._has_room(message, channel, now)]
        if taken:
            self._rows.add(message, taken, dispatch.not_before)
        for channel in dispatch.channels:
            if channel not in taken:
                self._hold_back(message, channel, now)
        return taken

    def _has_room(self, message: Message, channel: str, now: Instant) -> bool:
        if message.kind in (MessageKind.TEST, MessageKind.DIGEST):
            return True
        if message.kind is MessageKind.RESOLVED and channel == PAGERDUTY:
            return True  # a page that was opened is always closed
        most = self.policy.max_per_hour
        if message.kind is MessageKind.CHANGE:
            return self.memory.may_send(f"change:{channel}", max(most, 60), now.steady)
        return self.memory.may_send(channel, most, now.steady)

    def _hold_back(self, message: Message, channel: str, now: Instant) -> None:
        if message.kind is MessageKind.CHANGE:
            return  # it is in the ledger, and in the digest
        over = message.kind is MessageKind.RESOLVED
        if over or self.memory.roll(channel, short_key(message.dedup_key)):
            self.memory.held.setdefault(channel, HeldBack()).add(message, self.context, now)
            self.memory.changed = True

    def release_roll_ups(self, now: Instant) -> None:
        """Write the roll-up of each channel whose time has come."""
        for channel, held in list(self.memory.held.items()):
            wait = 0.0 if held.urgent else self.policy.group_wait_seconds
            earliest = max(held.since + wait, self.memory.next_roll_up.get(channel, -inf))
            if not held.count or now.steady < earliest:
                continue
            message = held.message(channel, self.context, now)
            self._rows.add(message, (channel,), now.steady)
            del self.memory.held[channel]
            self.memory.next_roll_up[channel] = now.steady + _ROLL_UP_EVERY
            self.memory.changed = True

    def repeat(self, now: Instant, unattended: frozenset[str], live: frozenset[str]) -> None:
        """Tell again what lasts: by mail and further channels, since PagerDuty reminds by itself."""
        for key, told in list(self.memory.told.items()):
            old = now.steady - told.told_at >= self.policy.repeat_every_seconds
            if not old:
                continue
            if told.message.kind is not MessageKind.FIRING or told.message.incident not in live:
                del self.memory.told[key]
                self.memory.changed = True
            elif told.message.incident in unattended:
                again = replace(told.message, id=new_id(ALERT), at=now)
                channels = tuple(channel for channel in told.channels if channel != PAGERDUTY)
                self.memory.remember(key, replace(told, told_at=now.steady, message=again))
                if channels:
                    self.put(again, Dispatch(channels, now.steady), now)

    def close_orphaned_pages(self, now: Instant, live: frozenset[str]) -> None:
        """Resolve pages whose incident is over although no resolve was told, as after a crash in between."""
        waiting = {row.message.dedup_key for row in self._rows.pending() if row.channel == PAGERDUTY}
        for key, incident in self.open_pages().items():
            if incident and incident not in live and key not in waiting:
                self._rows.add(resolve_of_orphan(key, incident, self.context, now), (PAGERDUTY,), now.steady)

    def open_pages(self) -> dict[str, str]:
        """Return keys of open pages and their incidents, none if that cannot be told."""
        try:
            return dict(self._store.open_pages())
        except StoreError as error:
            log.error("open pages cannot be read: %s", error)
            return {}

    def _incidents_open(self) -> bool:
        return any(told.message.kind is MessageKind.FIRING for told in self.memory.told.values())

    def _assume_sent(self) -> None:
        now = self._clock.now().steady
        for channel in self.policy.channels():
            try:
                count = self._store.sent_since(channel, now - 3600.0)
            except StoreError:  # the limit starts anew; it only bounds what people get
                return
            self.memory.assume_sent(channel, count, self.policy.max_per_hour, now)

    def _recall_aside(self) -> None:
        """Remember what an engine told while it could not write, and died: its memory could not be written either."""
        for row in self._rows.aside():
            message, told = row.message, self.memory.told.get(row.message.dedup_key)
            if told is None or told.told_at <= message.at.steady:
                if message.kind is MessageKind.RESOLVED and told is not None:
                    self._remember_over(told, message, message.at)
                elif message.kind in TRIGGERS:
                    self._remember(message, fact_digest(message), [row.channel], message.at)
            if row.state == "sent":
                self.took(row)
