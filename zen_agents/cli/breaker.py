"""Circuit breakers: what failed so often that the engine leaves it alone.

Examples:
  zen-agents breaker                                all, and for how long they are open
  zen-agents breaker reset 'restart_service|service:web' --reason "certificate renewed"
"""

from __future__ import annotations

import argparse
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.outcome import tell
from zen_agents.cli.render import next_steps, note, table
from zen_agents.cli.times import ago
from zen_agents.errors import UsageError
from zen_agents.ports.store import BreakerRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `breaker` takes."""
    parser.add_argument("verb", nargs="?", choices=("list", "reset"), default="list")
    parser.add_argument("breaker", nargs="?", help="ACTION|TARGET, as the list shows it")


def run(call: Call) -> int:
    """List, or reset."""
    if call.arguments.verb == "reset":
        return _reset(call)
    store = call.store()
    rows, now = store.breakers(), call.now(store).steady
    if call.machine:
        data(call, "breakers", [_body(row, now) for row in rows])
        return 0
    if not rows:
        note("no breaker has counted a failure")
        return 0
    heads = ("BREAKER", "STATE", "FAILURES", "OPEN FOR")
    table(call, heads, [(row.name, row.state, row.failures, ago(_open_for(row, now))) for row in rows])
    tripped = [row.name for row in rows if row.state != "closed"]
    if tripped:
        next_steps(call, f"zen-agents breaker reset '{tripped[0]}' --reason TEXT")
    return 0


def _reset(call: Call) -> int:
    name = call.arguments.breaker
    if not name:
        raise UsageError("which breaker? zen-agents breaker lists them")
    result = call.ask("breaker_reset", breaker=name, reason=call.reason())
    return tell(call, "breaker", result, f"{result['breaker']} is closed again; its target is looked at anew.")


def _open_for(row: BreakerRow, now: float) -> float | None:
    return now - row.opened_at if row.opened_at is not None and row.state != "closed" else None


def _body(row: BreakerRow, now: float) -> dict[str, Any]:
    return {"name": row.name, "state": row.state, "failures": row.failures, "open_seconds": _open_for(row, now)}
