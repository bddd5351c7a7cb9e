"""Check configuration files: every error at once, with its place.

  check-config                          the configuration that would be used
  check-config my.yaml -                these, and standard input
  check-config --format github          for a pull request; also concise, json, sarif

Exit: 0 valid (warnings allowed unless --strict), 78 not.
"""

from __future__ import annotations

import argparse
import os

from zen_agents.cli.call import Call
from zen_agents.cli.options import config_of
from zen_agents.cli.render import colour_wanted
from zen_agents.errors import SettingsError
from zen_agents.settings.loader import Loaded, load
from zen_agents.settings.rendering import FORMATS, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `check-config` takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, in order; - is standard input")
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    parser.add_argument("--format", choices=FORMATS, default="full", help="how to print (default full)")


def run(call: Call) -> int:
    """Load, print what is wrong, and say what the configuration amounts to."""
    paths = call.arguments.paths or [str(config_of(call))]
    loaded = load(paths, os.environ)
    form = "json" if call.machine else call.arguments.format
    text = render(loaded.diagnostics, form, colour=colour_wanted(call), files=loaded.files)
    if text:
        print(text)
    failed = loaded.settings is None or (call.arguments.strict and bool(loaded.diagnostics))
    if not failed and form in ("full", "concise"):
        print(amounts_to(loaded))
    return SettingsError.exit_code if failed else 0


def amounts_to(loaded: Loaded) -> str:
    """Return what a valid configuration amounts to, in one paragraph."""
    from zen_agents.agents.base import AgentContext  # noqa: PLC0415
    from zen_agents.runtime import build_agents  # noqa: PLC0415

    settings = loaded.require()
    agents = build_agents(settings, AgentContext("this host", loaded.origins))
    rules = sum(len(agent.rules()) for agent in agents)
    files = len(loaded.files)
    line = (
        f"OK: {files} file{'s' if files != 1 else ''}, {len(agents)} agents, {rules} rules, "
        f"{len(settings.actions.allow)} allowed actions, mode {settings.mode.value}"
    )
    used = sorted({f"  {request.action} {request.target}" for agent in agents for request in agent.remedies()
                   if request.action in settings.actions.allow})  # fmt: skip
    if settings.actions.built_in and used:
        return "\n".join([line, "Without an `actions:` section the built-in allow-list holds; it implies:", *used])
    return line
