"""The version of zen-agents and of its Python.

Examples:
  zen-agents version -o json
"""

from __future__ import annotations

import argparse
import platform

from zen_agents import __version__
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none of its own."""
    del parser


def run(call: Call) -> int:
    """Print the version of the product and of its Python."""
    facts = {"version": __version__, "python": platform.python_version()}
    if call.machine:
        data(call, "version", facts)
    else:
        print(f"zen-agents {facts['version']} (Python {facts['python']})")
    return 0
