"""Let the engine leave something alone for a while; checks and alerts go on. There is no pause without an end.

Examples:
  zen-agents pause web --for 2h --reason "manual debugging"
  zen-agents pause --for 1h --reason "moving racks"     the whole host
  zen-agents pause web --until 06:00 --reason night     until a time of this host's clock
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.outcome import tell
from zen_agents.cli.times import ago, end_of, seconds_of
from zen_agents.clock import SystemClock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `pause` takes."""
    parser.add_argument("scope", nargs="?", default="host", help="a target, rule or agent; default: the whole host")
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--for", dest="for_", metavar="DURATION", help="how long: 30m, 2h; at most 24h")
    end.add_argument("--until", metavar="TIME", help="until when, like 06:00 or 2026-01-31T06:00")
    parser.add_argument("--confirm", metavar="HOST", help="the host's name, for a pause of more than 24h")


def run(call: Call) -> int:
    """Pause."""
    wanted = call.arguments
    now = SystemClock().now().wall
    seconds = seconds_of(wanted.for_) if wanted.for_ else (end_of(wanted.until, None, now) - now).total_seconds()
    result = call.ask("pause", scope=wanted.scope, for_seconds=seconds, reason=call.reason(), confirm=wanted.confirm)
    said = f"{result['scope']} is paused for {ago(result['for_seconds'])}; checks and alerts go on, nothing is changed."
    return tell(call, "pause", result, said, f"zen-agents resume {wanted.scope}", "zen-agents status")
