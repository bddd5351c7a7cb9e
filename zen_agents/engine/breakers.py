"""Circuit breakers, one per action and target: pybreaker keeps the state machine, the store keeps the state.

Used through `calling()` only: pybreaker's decorator never trips on coroutines, and `call()` holds its lock while it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from zen_agents.clock import Instant
from zen_agents.guards.base import Limit
from zen_agents.ports.store import BreakerRow, Store

# pybreaker loads redis and tornado where they are installed (8 MB, 130 ms): masked while it is imported.
_MASKED = [name for name in ("redis", "tornado") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_MASKED))  # type: ignore[arg-type]
import pybreaker  # noqa: E402

for _name in _MASKED:
    del sys.modules[_name]


class AttemptFailedError(Exception):
    """What a breaker counts: one attempt that did not help."""


def breaker_name(action: str, target: str) -> str:
    """Return the durable name of the breaker of an action on a target."""
    return f"{action}|{target}"


class StoredBreakerState(pybreaker.CircuitBreakerStorage):
    """pybreaker's storage over the store; failures older than the window no longer count."""

    def __init__(self, name: str, store: Store, limit: Limit, now: Callable[[], Instant]) -> None:
        super().__init__("zen-agents")
        self._key, self._store, self._limit, self._now = name, store, limit, now

    def _row(self) -> BreakerRow:
        row = self._store.breaker(self._key) or BreakerRow(self._key, pybreaker.STATE_CLOSED, 0, 0, None)
        horizon = self._now().steady - self._limit.within_seconds
        recent = tuple(at for at in row.failed_at if at > horizon)
        return BreakerRow(row.name, row.state, len(recent), row.successes, row.opened_at, recent)

    def _save(self, **changes: Any) -> None:
        row = self._row()
        values = {slot: getattr(row, slot) for slot in BreakerRow.__slots__} | changes
        values["failures"] = len(values["failed_at"])
        self._store.save_breaker(BreakerRow(**values))

    @property
    def state(self) -> str:
        """closed, open or half-open."""
        return self._row().state

    @state.setter
    def state(self, state: str) -> None:
        self._save(state=state)

    def increment_counter(self) -> None:
        """Count one failure, now."""
        self._save(failed_at=(*self._row().failed_at, self._now().steady))

    def reset_counter(self) -> None:
        """Forget the failures."""
        self._save(failed_at=())

    def increment_success_counter(self) -> None:
        """Count one good trial."""
        self._save(successes=self._row().successes + 1)

    def reset_success_counter(self) -> None:
        """Forget the good trials."""
        self._save(successes=0)

    @property
    def counter(self) -> int:
        """Failures within the window."""
        return self._row().failures

    @property
    def success_counter(self) -> int:
        """Good trials since it half-opened."""
        return self._row().successes

    @property
    def opened_at(self) -> datetime | None:
        """When it opened, told on today's wall clock: pybreaker compares with that, and only the steady age is true."""
        opened = self._row().opened_at
        return None if opened is None else datetime.now(UTC) - timedelta(seconds=self._now().steady - opened)

    @opened_at.setter
    def opened_at(self, moment: datetime) -> None:
        del moment  # pybreaker's wall clock; ours is steady
        self._save(opened_at=self._now().steady)


class Breakers:
    """Counts attempts against their breakers."""

    def __init__(self, store: Store, limit: Limit, now: Callable[[], Instant]) -> None:
        self._store, self._limit, self._now = store, limit, now

    def succeeded(self, action: str, target: str) -> None:
        """Count a verified attempt: a half-open breaker closes."""
        if self._store.breaker(breaker_name(action, target)) is not None:
            self._count(action, target, failed=False)

    def failed(self, action: str, target: str) -> bool:
        """Count a failed attempt; True if the breaker is open afterwards."""
        self._count(action, target, failed=True)
        row = self._store.breaker(breaker_name(action, target))
        return row is not None and row.state == pybreaker.STATE_OPEN

    def _count(self, action: str, target: str, *, failed: bool) -> None:
        storage = StoredBreakerState(breaker_name(action, target), self._store, self._limit, self._now)
        breaker = pybreaker.CircuitBreaker(
            fail_max=self._limit.most, reset_timeout=self._limit.retry_after_seconds, state_storage=storage
        )
        try:
            with breaker.calling():
                if failed:
                    raise AttemptFailedError
        except (AttemptFailedError, pybreaker.CircuitBreakerError):
            # An attempt by hand may be counted while it is open: it changes nothing then.
            return
