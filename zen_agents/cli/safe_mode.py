"""Safe mode: checks and alerts go on, nothing is changed.

Examples:
  zen-agents safe-mode on --reason "odd disk errors"
  zen-agents safe-mode off --reason "disk replaced"     everything is looked at anew, nothing that piled up is run
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `safe-mode` takes."""
    parser.add_argument("state", choices=("on", "off"))


def run(call: Call) -> int:
    """Switch it."""
    result = call.ask("safe_mode", on=call.arguments.state == "on", reason=call.reason())
    if call.machine:
        data(call, "safe-mode", result)
    elif result["on"]:
        print("Safe mode is ON: checks and alerts go on, nothing is changed until: zen-agents safe-mode off --reason TEXT")
    else:
        print(f"Safe mode {'is' if result['was_on'] else 'was'} off; everything is looked at anew.")
    return 0
