"""Messages on their way: made into items, given to a worker, and what each channel answered noted."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from zen_agents.adapters.outbox_answers import Answers
from zen_agents.adapters.outbox_intake import Intake
from zen_agents.adapters.outbox_memory import OVER, Memory
from zen_agents.adapters.outbox_rows import OutboxRows
from zen_agents.adapters.worker_ahead import WorkerAhead
from zen_agents.adapters.worker_process import WorkerError
from zen_agents.alerts.items import item_for
from zen_agents.alerts.plain_text import one_line
from zen_agents.clock import Clock, Instant
from zen_agents.jobs.alert_delivery import (
    Delivered,
    DeliveryOutcome,
    DeliveryReply,
    DeliveryRequest,
    Item,
    MalformedJobError,
)
from zen_agents.model.message import MessageKind
from zen_agents.ports.store import OutboxRow

log = logging.getLogger("zen_agents.outbox")

#: How long a worker may take to deliver what it was given (seconds).
WORKER_SECONDS = 45.0


class Delivery:
    """What was not noted, because the engine ended meanwhile, is sent again with the same id."""

    def __init__(
        self, worker: WorkerAhead, rows: OutboxRows, memory: Memory, intake: Intake, answers: Answers, clock: Clock
    ) -> None:
        self._worker, self._rows, self._memory, self._intake = worker, rows, memory, intake
        self._answers, self._clock = answers, clock

    async def deliver(self, bundles: Sequence[tuple[OutboxRow, ...]], now: Instant) -> None:
        """Send bundles, each as one item, and note what came of every row."""
        made = [(rows, item) for rows in bundles if (item := self._item(rows, now))]
        answers = await self._ask([item for _, item in made]) if made else {}
        noted = self._clock.now()
        for rows, item in made:
            answer = answers.get(item.ref) or Delivered(item.ref, DeliveryOutcome.RETRY, "no answer")
            for row in rows:
                self._answers.note(row, answer, noted)

    async def ping(self, item: Item) -> None:
        """Send a sign of life; what went wrong with it is a trouble until one arrives."""
        answer = (await self._ask([item])).get(item.ref)
        if answer is None or answer.outcome is not DeliveryOutcome.OK:
            detail = one_line(answer.detail if answer else "no answer", 200)
            self._answers.trouble("heartbeat", f"heartbeat: {detail}")
        else:
            self._answers.troubles.pop("heartbeat", None)

    def _item(self, rows: tuple[OutboxRow, ...], now: Instant) -> Item | None:
        """Return the rows as an item; None, and give them up, if they cannot be rendered: they must not stop the others."""
        intake = self._intake
        try:
            return item_for(rows, intake.policy, intake.context, now, thread_subject=self._thread_subject(rows[0]))
        except Exception:
            log.exception("NOT TOLD: %s", rows[0].message.summary)
            for row in rows:
                self._rows.failed(row, "it cannot be rendered", now, not_before=now.steady, give_up=True)
            return None

    async def _ask(self, items: Sequence[Item]) -> dict[str, Delivered]:
        request = DeliveryRequest(tuple(items), within_seconds=WORKER_SECONDS)
        try:
            reply = DeliveryReply.from_json(await self._worker.ask(request.to_json()))
        except (WorkerError, MalformedJobError) as error:
            return {item.ref: Delivered(item.ref, DeliveryOutcome.RETRY, str(error)) for item in items}
        return {result.ref: result for result in reply.results}

    def _thread_subject(self, row: OutboxRow) -> str:
        over = OVER if row.message.kind is MessageKind.RESOLVED else ""
        told = self._memory.told.get(f"{row.message.dedup_key}{over}")
        return told.subject if told and row.channel in told.delivered else ""
