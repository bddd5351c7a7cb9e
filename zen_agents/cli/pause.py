"""Let the engine leave something alone for a while; checks and alerts go on. There is no pause without an end.

Examples:
  zen-agents pause web --for 2h --reason "manual debugging"
  zen-agents pause --for 1h --reason "moving racks"     the whole host
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.outcome import tell
from zen_agents.cli.times import ago, seconds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `pause` takes."""
    parser.add_argument("scope", nargs="?", default="host", help="a target, rule or agent; default: the whole host")
    parser.add_argument("--for", dest="for_", metavar="DURATION", required=True, help="how long: 30m, 2h; at most 24h")
    parser.add_argument("--confirm", metavar="HOST", help="the host's name, for a pause of more than 24h")


def run(call: Call) -> int:
    """Pause."""
    wanted = call.arguments
    result = call.ask(
        "pause", scope=wanted.scope, for_seconds=seconds_of(wanted.for_), reason=call.reason(), confirm=wanted.confirm
    )
    said = f"{result['scope']} is paused for {ago(result['for_seconds'])}; checks and alerts go on, nothing is changed."
    return tell(call, "pause", result, said, f"zen-agents resume {wanted.scope}", "zen-agents status")
