"""Which messages that wait may go now: quiet hours, windows, acknowledgements and what was told already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from zen_agents.adapters.outbox_intake import Intake
from zen_agents.adapters.outbox_memory import OVER, Memory
from zen_agents.alerts.ordering import Known
from zen_agents.alerts.policy import PAGERDUTY
from zen_agents.alerts.quiet import held_until
from zen_agents.clock import Clock, Instant
from zen_agents.errors import StoreError
from zen_agents.guards.windows import MUTING, started
from zen_agents.model.message import MessageKind
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow, Store


class Due:
    """Asked anew each time: the policy may be another one, the clock may have been set."""

    def __init__(self, store: Store, intake: Intake, memory: Memory, clock: Clock) -> None:
        self._store, self._intake, self._memory, self._clock = store, intake, memory, clock

    def reachable(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Return those whose channel is still configured."""
        return [row for row in rows if self._intake.policy.is_reachable(row.channel)]

    def held(self, rows: Sequence[OutboxRow], now: Instant) -> list[OutboxRow]:
        """Return the rows with the time until which quiet hours or a window hold them, as it is now.

        It is asked anew each time: the clock may have been set, a window ended, the configuration changed.
        """
        policy, muted = self._intake.policy, self._muted_until(now)
        until: dict[tuple[MessageKind, Severity, bool], float] = {}
        found = []
        for row in rows:
            message = row.message
            if message.kind is MessageKind.RESOLVED and row.channel == PAGERDUTY:  # a page is closed at any hour
                found.append(row)
                continue
            like = (message.kind, message.severity, message.urgent)
            if like not in until:
                until[like] = held_until(message, policy, now, muted_until=muted)
            found.append(row if until[like] <= now.steady else replace(row, not_before=max(row.not_before, until[like])))
        return found

    def _muted_until(self, now: Instant) -> float:
        """Return when the last window closes that a person started and in which nothing is told."""
        try:
            windows = started(self._store.brakes(), now.steady)
        except StoreError:  # then none is known, and people are told (R4)
            return -inf
        return max((window.until for window in windows if window.effect in MUTING), default=-inf)

    def known(self, pending: Sequence[OutboxRow]) -> Known:
        """Return what is known of what was told, if anything waits at all."""
        delivered = {
            (channel, key.removesuffix(OVER)) for key, told in self._memory.told.items() for channel in told.delivered
        }
        return Known(self._intake.open_pages() if pending else {}, delivered, self._acknowledged() if pending else ())

    def _acknowledged(self) -> set[str]:
        now = self._clock.now().steady
        try:
            return {id for id, until in self._store.live_ids().items() if (until or -inf) > now}
        except StoreError:  # then nobody is known to have it, and people are told (R4)
            return set()
