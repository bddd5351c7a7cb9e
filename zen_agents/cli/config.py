"""The configuration in force, as YAML that loads again.

Examples:
  zen-agents config show --sources                  which file, line or variable each value came from
  zen-agents config show --diff-defaults            only what is not the default
"""

from __future__ import annotations

import argparse
import os

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.settings.loader import load
from zen_agents.settings.show import show, to_yaml


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `config` takes."""
    parser.add_argument("verb", choices=("show",))
    parser.add_argument("--sources", action="store_true", help="say where each value came from")
    parser.add_argument("--diff-defaults", action="store_true", help="only what is not the default")


def run(call: Call) -> int:
    """Print every value in force."""
    loaded = load(str(config_of(call)), os.environ)
    loaded.require()
    shown = show(loaded, sources=call.arguments.sources, diff_defaults=call.arguments.diff_defaults)
    if call.machine:
        sources = {path: str(source) for path, source in shown.sources.items()}
        data(call, "config-show", {"files": list(loaded.files), "values": shown.values, "sources": sources})
        return 0
    print(f"# {', '.join(loaded.files)}")
    print(to_yaml(shown), end="")
    return 0
