"""The flags that `run`, `once` and `plan` share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from zen_agents.cli.call import Call
from zen_agents.errors import SettingsError
from zen_agents.settings.finding import find_config
from zen_agents.wiring.options import Options


def add_run_options(parser: argparse.ArgumentParser, *, dry_run: bool = True) -> None:
    """Add --dry-run (a plan is one anyway), --mode and --agent."""
    if dry_run:
        parser.add_argument("--dry-run", action="store_true", help="the whole path, no effect")
    else:
        parser.set_defaults(dry_run=False)
    parser.add_argument("--mode", choices=("observe", "approve", "enforce"), help="safer than the file; never looser")
    parser.add_argument("--agent", action="append", default=[], metavar="NAME", help="only this agent (may be repeated)")


def options_of(call: Call) -> Options:
    """Return the options of a run; SettingsError if there is no configuration."""
    wanted = call.arguments
    return Options(
        config=[config_of(call)], state_dir=call.state_dir, dry_run=wanted.dry_run, mode=wanted.mode,
        agents=frozenset(wanted.agent),
    )  # fmt: skip


def config_of(call: Call) -> Path:
    """Return the configuration file in the order that the reference states."""
    found = find_config(call.arguments.config or "", os.environ, os.geteuid())
    if found is None:
        raise SettingsError("no configuration was found; write one with: zen-agents init, or name one: -c FILE")
    return Path(found)
