"""Safe mode: checks and alerts go on, nothing is changed.

safe-mode on --reason "odd disk errors"      safe-mode off --reason "disk replaced"
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.render import data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `safe-mode` takes."""
    parser.add_argument("state", choices=("on", "off"))


def run(call: Call) -> int:
    """Switch it."""
    result = call.ask("safe_mode", on=call.arguments.state == "on", reason=call.reason())
    if call.machine:
        data(call, "safe-mode", result)
    else:
        print(
            "Safe mode is ON: nothing will be changed."
            if result["on"]
            else "Safe mode is off; everything is looked at anew."
        )
    return 0
