"""Where alerts arrive: takes what the outbox delivers, refuses, or takes its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from zen_agents.adapters.worker_process import WorkerError
from zen_agents.jobs.alert_delivery import Delivered, DeliveryOutcome, DeliveryReply, DeliveryRequest, EventItem, Item


@dataclass(slots=True)
class Pager:
    """Takes the place of the delivery worker."""

    #: The worker cannot even be started.
    down: bool = False
    #: Every item is answered "later".
    refuses: bool = False
    #: How long the worker takes.
    slow_seconds: float = 0.0
    delivered: list[Item] = field(default_factory=list)

    async def work(self, module: str, request: str, *, timeout_seconds: float) -> str:
        """Answer a delivery request."""
        del module
        if self.slow_seconds:
            await asyncio.sleep(min(self.slow_seconds, timeout_seconds))
        if self.down or self.slow_seconds > timeout_seconds:
            raise WorkerError("the alert worker does not answer")
        items = DeliveryRequest.from_json(request).items
        outcome = DeliveryOutcome.RETRY if self.refuses else DeliveryOutcome.OK
        if outcome is DeliveryOutcome.OK:
            self.delivered.extend(items)
        return DeliveryReply(
            tuple(Delivered(item.ref, outcome, "later" if self.refuses else "") for item in items)
        ).to_json()

    @property
    def pages(self) -> list[EventItem]:
        """The events that PagerDuty took and that are no change events."""
        return [item for item in self.delivered if isinstance(item, EventItem) and "change" not in item.url]
