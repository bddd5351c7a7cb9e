"""Say no to what is asked. The engine only watches that incident from then on, and asks no second time about it.

Examples:
  zen-agents deny apr-2c8d --reason "batch running"
  zen-agents deny apr-2c8d --reason "batch running" --pause 2h     and the rule does not ask again for so long

Exit: 0 taken, 4 answered already, 5 expired, 77 you may not answer.
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, say
from zen_agents.cli.times import ago, seconds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deny` takes."""
    parser.add_argument("approval", help="the question's id, a unique beginning of it, or @last")
    parser.add_argument("--pause", metavar="DURATION", help="pause the rule on that target as well: 30m, 2h; at most 24h")


def run(call: Call) -> int:
    """Deny."""
    wanted = call.arguments
    pause = {"pause_seconds": seconds_of(wanted.pause)} if wanted.pause is not None else {}
    result = call.ask("deny", approval=wanted.approval, reason=call.reason(), **pause)
    if call.machine:
        data(call, "approval", result)
        return 0
    say(call, f"{result['approval']} denied; {result['action']} {result['target']} is not done.")
    if scope := result.get("paused"):
        say(call, f"{scope} is paused for {ago(result['paused_seconds'])}; checks and alerts go on.")
        next_steps(call, f"zen-agents resume {scope} --reason TEXT", "zen-agents status")
        return 0
    next_steps(call, "zen-agents status")
    return 0
