"""The engine dies right after an outcome is durable: what that outcome counts for is counted by the next engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.guards.base import Limit
from zen_agents.model.action import Outcome, OutcomeKind


class DiedError(BaseException):
    """Nothing catches a kill -9."""


def dies_after(rig: Rig, kind: OutcomeKind) -> None:
    """Let the engine die when an outcome of this kind has been written."""
    finish: Callable[[Outcome], None] = rig.store.finish

    def finish_and_die(outcome: Outcome) -> None:
        finish(outcome)
        if outcome.kind is kind:
            raise DiedError

    rig.store.finish = finish_and_die  # type: ignore[method-assign]


async def test_a_failure_is_counted_by_its_breaker(tmp_path: Path) -> None:
    rig = Rig(tmp_path, failures=Limit(2, 3600.0, 1800.0))
    rig.host.services["web"].refuses_to_start = True
    await rig.turn()
    rig.host.crash("web")
    for _ in range(2):
        dies_after(rig, OutcomeKind.FAILED)
        await rig.tick.run(everything=True)
        await asyncio.gather(*rig.parts.executor._running.values(), return_exceptions=True)
        rig = rig.restart(failures=Limit(2, 3600.0, 1800.0))
        await rig.run(120)
    row = rig.store.breaker("restart_service|service:web")
    assert row is not None
    assert row.state == "open"
    assert rig.outcomes() == ["failed", "failed"]


async def test_a_repair_counts_as_the_engines(tmp_path: Path) -> None:
    """Else a fault that keeps coming back is repaired for ever by an engine that keeps dying (R7)."""
    rig = Rig(tmp_path, recurrence=Limit(2, 14400.0, 7200.0))
    await rig.turn()
    for _ in range(4):
        rig.host.crash("web")
        dies_after(rig, OutcomeKind.VERIFIED)
        with pytest.raises(DiedError):
            await rig.run(120)
        rig = rig.restart(recurrence=Limit(2, 14400.0, 7200.0))
        await rig.run(700)
        if rig.store.repairs("system_health.web|service:web", 0.0) == 2:
            break
    assert [incident.resolved_by for incident in rig.store.incidents()] == ["engine", "engine"]
    rig.host.crash("web")
    await rig.run(120)
    assert rig.outcomes() == ["verified", "verified"]
