"""Say no to what is asked. The engine only watches that incident from then on, and asks no second time about it.

Examples:
  zen-agents deny apr-2c8d --reason "batch running"
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deny` takes."""
    parser.add_argument("approval", help="the question's id, a unique beginning of it, or @last")


def run(call: Call) -> int:
    """Deny."""
    result = call.ask("deny", approval=call.arguments.approval, reason=call.reason())
    if call.machine:
        data(call, "approval", result)
        return 0
    say(call, f"{result['approval']} denied; {result['action']} {result['target']} is not done.")
    next_steps(call, "zen-agents status")
    return 0
