"""The outbox while there is nothing to tell: what renders and delivers messages is loaded with the first of them.

Most engines tell nobody anything for weeks, and all of them start; see docs/adr/0013-what-is-merely-installed.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from zen_agents.adapters.worker_ahead import RunWorker
from zen_agents.adapters.worker_process import run_worker
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.clock import Clock
from zen_agents.dataclass import compile_now
from zen_agents.errors import StoreError
from zen_agents.model.message import Message
from zen_agents.ports.store import OUTBOX_MEMORY, OutboxRow, Store

if TYPE_CHECKING:
    from zen_agents.adapters.alert_outbox import Outbox

log = logging.getLogger("zen_agents.outbox")


class OutboxAtRest:
    """Does what `Outbox` does, which it makes when something is told or due, or was by an earlier engine."""

    def __init__(
        self, store: Store, policy: AlertPolicy, clock: Clock, *, context: AlertContext, spill: Path,
        worker: RunWorker = run_worker,
    ) -> None:  # fmt: skip
        """Take the arguments of `Outbox`. Does not raise for a store that cannot be read."""
        self._store, self._policy, self._clock = store, policy, clock
        self._context, self._spill, self._worker = context, spill, worker
        self._since = clock.now().steady
        self._awake: Outbox | None = None
        self._ripe = asyncio.Event()
        #: False once it was seen that an earlier engine left nothing.
        self._may_be_left = True

    def get_ready(self) -> None:
        """Load what telling needs, ahead of the first message; nothing is made or asked of the store."""
        import zen_agents.adapters.alert_outbox  # noqa: F401, PLC0415  as in `_woken`
        from zen_agents.adapters.outbox_memory import Memory, Told  # noqa: PLC0415
        from zen_agents.alerts.routing import Dispatch  # noqa: PLC0415

        compile_now(Memory, Told, Dispatch, OutboxRow)

    def tell(self, message: Message) -> None:
        """Accept a message for delivery. Never raises, never waits."""
        try:
            outbox = self._woken()
        except Exception:  # as in `Outbox.tell`
            log.exception("NOT TOLD: %s", message.summary)
        else:
            outbox.tell(message)

    def expect(self, message: Message) -> None:
        """Get going what delivers one like this. Never raises, never waits."""
        try:
            self._woken().expect(message)
        except Exception:  # it is started when there is something to tell
            log.exception("nothing was started ahead of a message")

    def reconfigure(self, policy: AlertPolicy, context: AlertContext) -> None:
        """Use another policy from now on."""
        self._policy, self._context = policy, context
        if self._awake is not None:
            self._awake.reconfigure(policy, context)

    async def deliver_due(self) -> None:
        """Start the delivery of what is due and return at once; never raises."""
        by_the_calendar = self._policy.digest is not None or self._policy.self_test is not None
        if self._awake is not None or by_the_calendar or self._is_left():
            await self._woken().deliver_due()

    async def ripe(self) -> None:
        """Return once `deliver_due` is worth calling before its time: a person is asked, or is to know at once."""
        await self._ripe.wait()
        self._ripe.clear()
        if self._awake is not None:
            self._awake.get_going()

    async def drain(self, timeout_seconds: float) -> bool:
        """Wait for deliveries that are under way; return whether all ended in time."""
        return self._awake is None or await self._awake.drain(timeout_seconds)

    async def close(self, timeout_seconds: float) -> None:
        """Deliver what is due, wait for it that long, and stop the workers that are left."""
        if self._awake is not None or self._is_left():
            await self._woken().close(timeout_seconds)

    async def good_tick(self) -> None:
        """Start a ping of the heartbeat's address if it is due; call it only after a tick that went well."""
        if self._policy.heartbeat is not None:
            await self._woken().good_tick()

    def undelivered(self) -> Sequence[str]:
        """Return what could not be delivered and why, one line each, for `status`."""
        return self._awake.undelivered() if self._awake is not None else ()

    @property
    def delivered(self) -> Mapping[tuple[str, str], int]:
        """Return how often each channel gave each answer, by channel and outcome."""
        return self._awake.delivered if self._awake is not None else {}

    def _is_left(self) -> bool:
        """Tell whether an earlier engine left something to deliver, repeat or resolve; asked until it is not so."""
        if self._may_be_left:
            try:
                self._may_be_left = bool(
                    self._spill.exists() or self._store.get(OUTBOX_MEMORY) or self._store.due_messages(inf, limit=1)
                    or self._store.open_pages()
                )  # fmt: skip
            except (StoreError, OSError):  # then nobody knows, and it is looked at closely
                return True
        return self._may_be_left

    def _woken(self) -> Outbox:
        if self._awake is None:
            from zen_agents.adapters.alert_outbox import Outbox  # noqa: PLC0415  the reason for this module

            self._awake = Outbox(
                self._store, self._policy, self._clock, context=self._context, spill=self._spill, worker=self._worker,
                since=self._since, ripe=self._ripe.set,
            )  # fmt: skip
        return self._awake
