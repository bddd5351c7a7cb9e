"""The durable outbox: takes messages without waiting, delivers them through short-lived workers until each channel has them.

`tell` only writes a row; `deliver_due` only starts workers and returns, their answers are noted when they come. So neither a
mail server that hangs nor a disk that is full holds up the engine, and an engine that may not act still tells (R14, R15).
Delivery is at least once: a crash between sending and noting it sends once more, with the same message id or dedup key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path

from zen_agents.adapters.outbox_answers import Answers, lane_of
from zen_agents.adapters.outbox_calendar import digest_due
from zen_agents.adapters.outbox_delivery import WORKER_SECONDS, Delivery
from zen_agents.adapters.outbox_due import Due
from zen_agents.adapters.outbox_intake import Intake
from zen_agents.adapters.outbox_memory import load_memory
from zen_agents.adapters.outbox_rows import OutboxRows
from zen_agents.adapters.outbox_self_test import is_self_test_due, trials
from zen_agents.adapters.worker_ahead import RunWorker, WorkerAhead
from zen_agents.adapters.worker_process import run_worker
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.items import ping_item
from zen_agents.alerts.ordering import choose
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.alerts.routing import first_channels, is_pressing
from zen_agents.clock import Clock, Instant
from zen_agents.errors import StoreError
from zen_agents.jobs.alert_delivery import (
    WORKER,
)
from zen_agents.model.message import Message
from zen_agents.ports.store import OutboxRow, Store

log = logging.getLogger("zen_agents.outbox")

_BATCH = 20
_WORKER_GRACE_SECONDS = 30.0
#: How often the outbox looks for repeats, pages without an incident, the digest and the weekly trial.
_REVIEW_EVERY = 60.0


class Outbox:
    """Takes messages and sees to it that they arrive; `ports.notifier.Notifier` made real."""

    def __init__(
        self,
        store: Store,
        policy: AlertPolicy,
        clock: Clock,
        *,
        context: AlertContext,
        spill: Path,
        worker: RunWorker = run_worker,
        since: float | None = None,
        ripe: Callable[[], None] = lambda: None,
    ) -> None:
        """Take up what an earlier engine left undelivered. Does not raise for a store that cannot be read.

        Args:
            store: The durable state.
            policy: Who is told.
            clock: The time.
            context: The host that messages speak of.
            spill: `<state>/outbox-spill.jsonl`, used while the store cannot be written.
            worker: Starts a delivery worker.
            since: Steady time from which reviews are counted, if the engine began before this.
            ripe: Called when `deliver_due` is worth calling now: something was told that waits for nothing, or the worker
                that it had to wait for has ended.
        """
        self._store, self._clock, self._ripe = store, clock, ripe
        self._worker = WorkerAhead(worker, WORKER, timeout_seconds=WORKER_SECONDS + _WORKER_GRACE_SECONDS)
        #: Something was told that waits for nothing.
        self._presses = False
        self._rows, self._memory = OutboxRows(store, spill), load_memory(store)
        self._intake = Intake(store=store, rows=self._rows, memory=self._memory, clock=clock, policy=policy, context=context)
        self._due = Due(store, self._intake, self._memory, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        self._answers = Answers(self._rows, self._memory, self._intake)
        self._delivery = Delivery(self._worker, self._rows, self._memory, self._intake, self._answers, clock)
        self._next_review = (clock.now().steady if since is None else since) + _REVIEW_EVERY
        self._next_ping = -inf

    # -- telling ------------------------------------------------------------------------------------------------------
    def tell(self, message: Message) -> None:
        """Accept a message for delivery. Never raises, never waits."""
        try:
            self._intake.accept(message, self._clock.now())
            if is_pressing(message):
                self._presses = True
                self._ripe()
        except Exception:  # telling people must survive its own faults: the log on stderr is the last way to speak
            log.exception("NOT TOLD: %s", message.summary)

    def expect(self, message: Message) -> None:
        """Start the worker that will deliver one like this, if somebody is to hear of it at once: it loads meanwhile."""
        if is_pressing(message) and first_channels(message, self._intake.policy):
            self._worker.start()

    def reconfigure(self, policy: AlertPolicy, context: AlertContext) -> None:
        """Use another policy from now on; what waits for a channel that is gone is given up at its turn."""
        self._intake.policy, self._intake.context = policy, context

    def get_going(self) -> None:
        """Start the worker that `deliver_due` will need at once, if something presses: it loads while the message is made.

        Never raises; where nobody is to hear of it now, nothing is started.
        """
        presses, self._presses = self._presses, False
        if not presses:
            return
        try:
            now = self._clock.now()
            if any(row.not_before <= now.steady for row in self._due.held(self._due.reachable(self._waiting()), now)):
                self._worker.start()
        except Exception:  # `deliver_due` starts one itself
            log.exception("no worker could be started ahead")

    # -- delivering ---------------------------------------------------------------------------------------------------
    async def deliver_due(self) -> None:
        """Start the delivery of what is due and return at once; never raises. `drain` waits for it."""
        try:
            now = self._clock.now()
            self._intake.release_roll_ups(now)
            if now.steady >= self._next_review:
                self._next_review = now.steady + _REVIEW_EVERY
                self._review(now)
            self._save()
            self._start_lanes(now)
        except Exception:  # the next call looks again from the beginning
            log.exception("delivery could not be started")

    async def drain(self, timeout_seconds: float) -> bool:
        """Wait for deliveries that are under way; return whether all ended in time. Those left over are sent again later."""
        tasks = set(self._tasks)
        if not tasks:
            return True
        _, left = await asyncio.wait(tasks, timeout=timeout_seconds)
        return not left

    async def close(self, timeout_seconds: float) -> None:
        """Deliver what is due, wait for it that long, and stop the workers that are left."""
        await self.deliver_due()
        if not await self.drain(timeout_seconds):
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._worker.dismiss()
        self._save()

    async def good_tick(self) -> None:
        """Start a ping of the heartbeat's address if it is due; call it only after a tick that went well."""
        heartbeat, now = self._intake.policy.heartbeat, self._clock.now().steady
        if heartbeat is None or now < self._next_ping or "heartbeat" in self._busy:
            return
        item = ping_item(self._intake.policy, self._head())
        if item is None:
            return
        self._next_ping = now + heartbeat.every_seconds
        self._start("heartbeat", partial(self._delivery.ping, item))

    def _head(self) -> str:
        """Return the ledger's last signed head, once it is on the disk; "" if there is none."""
        try:
            self._store.commit()
            checkpoint = self._store.last_checkpoint()
        except StoreError as error:
            log.error("the ledger's head cannot be told: %s", error)
            return ""
        return checkpoint.head if checkpoint else ""

    @property
    def delivered(self) -> Mapping[tuple[str, str], int]:
        """How many deliveries ended so since the start, by channel and outcome."""
        return self._answers.delivered

    def undelivered(self) -> Sequence[str]:
        """Return what could not be delivered and why, one line each, for `status`."""
        return list(self._answers.troubles.values())

    def _start_lanes(self, now: Instant) -> None:
        pending = self._waiting()
        if not pending:
            return
        reachable = self._due.reachable(pending)
        for row in pending:
            if not self._intake.policy.is_reachable(row.channel):
                self._rows.failed(row, "the channel is no longer configured", now, not_before=now.steady, give_up=True)
        held = self._due.held(reachable, now)
        choice = choose(held, now.steady, self._intake.policy, self._due.known(pending))
        for row, why in choice.superseded:
            self._answers.forget_failing(row)
            self._rows.failed(row, why, now, not_before=now.steady, give_up=True)
        lanes: dict[str, list[tuple[OutboxRow, ...]]] = {}
        for rows in choice.send:
            lanes.setdefault(lane_of(rows[0].channel), []).append(rows)
        for lane, bundles in lanes.items():
            self._start(lane, partial(self._deliver, bundles[:_BATCH], now))
        if choice.superseded or len(reachable) < len(pending):
            self._rows.confirm()

    def _waiting(self) -> list[OutboxRow]:
        """Return the rows that wait, but for those behind a delivery that is under way."""
        return [row for row in self._rows.pending() if lane_of(row.channel) not in self._busy]

    async def _deliver(self, bundles: Sequence[tuple[OutboxRow, ...]], now: Instant) -> None:
        await self._delivery.deliver(bundles, now)
        self._save()

    def _start(self, lane: str, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            try:
                await work()
            except Exception:  # what was not noted is sent again, with the next round
                log.exception("delivery over %s failed", lane)
            else:
                self._ripe()
            finally:
                self._busy.discard(lane)

        self._busy.add(lane)
        task = asyncio.get_running_loop().create_task(run(), name=f"outbox:{lane}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- now and then -------------------------------------------------------------------------------------------------
    def _review(self, now: Instant) -> None:
        try:
            live = self._store.live_ids()
            acknowledged = {id for id, until in live.items() if (until or -inf) > now.steady}
            self._intake.repeat(now, frozenset(live) - acknowledged, frozenset(live))
            self._intake.close_orphaned_pages(now, frozenset(live))
            digest = digest_due(self._store, self._intake.policy, self._intake.context, now, self._memory)
        except StoreError as error:
            log.error("repeats and the digest wait, the state cannot be read: %s", error)
            return
        if digest:
            self._intake.accept(digest, now)
        if is_self_test_due(self._intake.policy, now, self._memory):
            for channel, trial in trials(self._intake.policy, self._intake.context, now).items():
                self._rows.add(trial, (channel,), now.steady)

    def _save(self) -> None:
        try:
            self._memory.save(self._store)
        except StoreError as error:
            self._memory.changed = True
            log.error("what was told cannot be noted: %s", error)
        self._rows.confirm()
