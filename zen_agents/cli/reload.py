"""Load the configuration anew. A bad file changes nothing: the old one goes on, and line 1 of `status` says so.

Examples:
  zen-agents check-config && zen-agents reload

Exit: 0 applied, 78 not valid.
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none of its own."""
    del parser


def run(call: Call) -> int:
    """Reload."""
    result = call.ask("reload", timeout_seconds=60.0)
    if call.machine:
        data(call, "reload", result)
    else:
        say(call, f"Applied {result['config'][:6]}; agents: {', '.join(result['agents']) or 'none'}.")
    return 0
