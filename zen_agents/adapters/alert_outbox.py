"""The durable outbox: takes messages without waiting, delivers them through short-lived workers until each channel has them.

`tell` only writes a row; `deliver_due` only starts workers and returns, their answers are noted when they come. So neither a
mail server that hangs nor a disk that is full holds up the engine, and an engine that may not act still tells (R14, R15).
Delivery is at least once: a crash between sending and noting it sends once more, with the same message id or dedup key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path

from zen_agents.adapters.outbox_answers import Answers, lane_of
from zen_agents.adapters.outbox_calendar import digest_due
from zen_agents.adapters.outbox_intake import OVER, Intake
from zen_agents.adapters.outbox_memory import load_memory
from zen_agents.adapters.outbox_rows import OutboxRows
from zen_agents.adapters.outbox_self_test import is_self_test_due, trials
from zen_agents.adapters.worker_ahead import RunWorker, WorkerAhead
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.items import item_for, ping_item
from zen_agents.alerts.ordering import Known, choose
from zen_agents.alerts.plain_text import one_line
from zen_agents.alerts.policy import PAGERDUTY, AlertPolicy
from zen_agents.alerts.quiet import held_until
from zen_agents.alerts.routing import is_pressing
from zen_agents.clock import Clock, Instant
from zen_agents.errors import StoreError
from zen_agents.guards.windows import MUTING, started
from zen_agents.jobs.alert_delivery import (
    WORKER,
    Delivered,
    DeliveryOutcome,
    DeliveryReply,
    DeliveryRequest,
    Item,
    MalformedJobError,
)
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow, Store

log = logging.getLogger("zen_agents.outbox")

_BATCH = 20
_WORKER_SECONDS, _WORKER_GRACE_SECONDS = 45.0, 30.0
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
        self._worker = WorkerAhead(worker, WORKER, timeout_seconds=_WORKER_SECONDS + _WORKER_GRACE_SECONDS)
        #: Something was told that waits for nothing.
        self._presses = False
        self._rows, self._memory = OutboxRows(store, spill), load_memory(store)
        self._intake = Intake(store=store, rows=self._rows, memory=self._memory, clock=clock, policy=policy, context=context)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        self._answers = Answers(self._rows, self._memory, self._intake)
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
            if any(row.not_before <= now.steady for row in self._held(self._reachable(self._waiting()), now)):
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
        self._start("heartbeat", partial(self._ping, item))

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
        reachable = self._reachable(pending)
        for row in pending:
            if not self._intake.policy.is_reachable(row.channel):
                self._rows.failed(row, "the channel is no longer configured", now, not_before=now.steady, give_up=True)
        held = self._held(reachable, now)
        choice = choose(held, now.steady, self._intake.policy, self._known(pending))
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

    def _reachable(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        return [row for row in rows if self._intake.policy.is_reachable(row.channel)]

    def _held(self, rows: Sequence[OutboxRow], now: Instant) -> list[OutboxRow]:
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

    async def _deliver(self, bundles: Sequence[tuple[OutboxRow, ...]], now: Instant) -> None:
        made = [(rows, item) for rows in bundles if (item := self._item(rows, now))]
        answers = await self._ask([item for _, item in made]) if made else {}
        noted = self._clock.now()
        for rows, item in made:
            answer = answers.get(item.ref) or Delivered(item.ref, DeliveryOutcome.RETRY, "no answer")
            for row in rows:
                self._answers.note(row, answer, noted)
        self._save()

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
        request = DeliveryRequest(tuple(items), within_seconds=_WORKER_SECONDS)
        try:
            reply = DeliveryReply.from_json(await self._worker.ask(request.to_json()))
        except (WorkerError, MalformedJobError) as error:
            return {item.ref: Delivered(item.ref, DeliveryOutcome.RETRY, str(error)) for item in items}
        return {result.ref: result for result in reply.results}

    async def _ping(self, item: Item) -> None:
        answer = (await self._ask([item])).get(item.ref)
        if answer is None or answer.outcome is not DeliveryOutcome.OK:
            detail = one_line(answer.detail if answer else "no answer", 200)
            self._answers.trouble("heartbeat", f"heartbeat: {detail}")
        else:
            self._answers.troubles.pop("heartbeat", None)

    def _thread_subject(self, row: OutboxRow) -> str:
        over = OVER if row.message.kind is MessageKind.RESOLVED else ""
        told = self._memory.told.get(f"{row.message.dedup_key}{over}")
        return told.subject if told and row.channel in told.delivered else ""

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

    # -- what is known ------------------------------------------------------------------------------------------------
    def _known(self, pending: Sequence[OutboxRow]) -> Known:
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

    def _save(self) -> None:
        try:
            self._memory.save(self._store)
        except StoreError as error:
            self._memory.changed = True
            log.error("what was told cannot be noted: %s", error)
        self._rows.confirm()
