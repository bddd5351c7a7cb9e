"""Say that you have an incident: no repeats, and the engine leaves it alone for an hour.

ack inc-4k2p --reason "looking"      ack @last --keep-acting
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.render import ago, data
from zen_agents.cli.status import seconds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `ack` takes."""
    parser.add_argument("incident", help="the incident's id, a unique beginning of it, or @last")
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
    else:
        off = "goes on acting" if wanted.keep_acting else "leaves it alone"
        print(f"{result['incident']} is yours for {ago(result['until_seconds'])}; the engine {off}.")
    return 0
