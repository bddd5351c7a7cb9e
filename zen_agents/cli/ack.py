"""Say that you have an incident: no repeats, and the engine leaves it alone for an hour.

Examples:
  zen-agents ack inc-4k2p --reason "looking"
  zen-agents ack @last --for 4h
  zen-agents ack @open --keep-acting                no repeats, but let the engine go on
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, say
from zen_agents.cli.times import ago, seconds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `ack` takes."""
    parser.add_argument("incident", help="the incident's id, a unique beginning of it, @last or @open")
    parser.add_argument("--for", dest="for_", metavar="DURATION", default="1h", help="how long (default 1h)")
    parser.add_argument("--keep-acting", action="store_true", help="let the engine go on with it")


def run(call: Call) -> int:
    """Acknowledge."""
    wanted = call.arguments
    result = call.ask(
        "ack", incident=wanted.incident, for_seconds=seconds_of(wanted.for_), keep_acting=wanted.keep_acting,
        reason=call.reason(needed=False),
    )  # fmt: skip
    if call.machine:
        data(call, "ack", result)
        return 0
    off = "goes on acting" if wanted.keep_acting else "leaves it alone"
    say(
        call,
        f"{result['incident']} is yours for {ago(result['until_seconds'])}; the engine {off}, and nobody is told again.",
    )
    next_steps(call, f"zen-agents why {result['incident']}")
    return 0
