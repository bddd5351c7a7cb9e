"""List circuit breakers, or close one: breaker [list] | breaker reset 'restart_service|service:web' --reason TEXT."""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.render import ago, data, table
from zen_agents.clock import SystemClock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `breaker` takes."""
    parser.add_argument("verb", nargs="?", choices=("list", "reset"), default="list")
    parser.add_argument("breaker", nargs="?", help="ACTION|TARGET, as the list shows it")


def run(call: Call) -> int:
    """List, or reset."""
    if call.arguments.verb == "reset":
        result = call.ask("breaker_reset", breaker=call.arguments.breaker or "", reason=call.reason())
        if call.machine:
            data(call, "breaker", result)
        else:
            print(f"{result['breaker']} is closed again.")
        return 0
    store = call.store()
    rows, now = store.breakers(), SystemClock(store.anchor()).now().steady
    if call.machine:
        data(call, "breakers", [{"name": r.name, "state": r.state, "failures": r.failures} for r in rows])
        return 0
    table(
        call,
        ("BREAKER", "STATE", "FAILURES", "OPEN FOR"),
        [(r.name, r.state, r.failures, ago(now - r.opened_at) if r.opened_at and r.state == "open" else "-") for r in rows],
    )
    return 0
