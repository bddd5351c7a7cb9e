"""Check configuration files: every error at once, with its place.

Examples:
  zen-agents check-config                           the configuration that would be used
  zen-agents check-config my.yaml -                 these in order; - is standard input
  zen-agents check-config --strict --format github  for a pull request; also concise, json, sarif
  zen-agents check-config --online                  also: are the units there, does the mail server answer, is the key taken

Exit: 0 valid (warnings allowed unless --strict), 78 not; with --online 1 if something is not there or does not answer.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.doctor import finding_body, show_finding
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.render import colour_wanted, plural
from zen_agents.doctor.examination import Finding, Site, State, examine
from zen_agents.errors import SettingsError, UsageError
from zen_agents.settings.loader import Loaded, load
from zen_agents.settings.rendering import FORMATS, as_json, render

_NOT_THERE = 1
_FOR_PEOPLE = ("full", "concise")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `check-config` takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, in order; - is standard input")
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    parser.add_argument("--online", action="store_true", help="ask this host and the network too; sends nothing to people")
    parser.add_argument("--format", choices=FORMATS, default="full", help="how to print (default full)")


def run(call: Call) -> int:
    """Load, print what is wrong, and say what the configuration amounts to."""
    form = call.arguments.format
    if call.arguments.online and form not in _FOR_PEOPLE:
        raise UsageError("--online is told in full, concise or -o json; leave out --format")
    loaded = load(call.arguments.paths or [str(config_of(call))], os.environ)
    failed = loaded.settings is None or (call.arguments.strict and bool(loaded.diagnostics))
    meaning = {} if loaded.settings is None else _meaning(loaded)
    online = _online(call, loaded) if call.arguments.online and not failed else {}
    if call.machine:
        found = [as_json(diagnostic) for diagnostic in loaded.diagnostics]
        asked = {"online": [finding_body(name, each) for name, each in online.items()]} if online else {}
        body = {"ok": not failed, "files": list(loaded.files), "diagnostics": found}
        data(call, "check-config", body | meaning | asked)
    else:
        if text := render(loaded.diagnostics, form, colour=colour_wanted(call), files=loaded.files):
            print(text)
        if not failed and form in _FOR_PEOPLE:
            _tell(loaded, meaning)
        for name, each in online.items():
            show_finding(call, name, each)
    if failed:
        return SettingsError.exit_code
    return _NOT_THERE if any(each.state is State.FAILED for each in online.values()) else 0


def _online(call: Call, loaded: Loaded) -> Mapping[str, Finding]:
    from zen_agents.doctor.online import ONLINE  # noqa: PLC0415  who asks nobody does not wait for it

    return examine(Site(call.state_dir, os.environ, None, loaded=loaded), ONLINE)


def _meaning(loaded: Loaded) -> dict[str, Any]:
    """Return what a valid configuration amounts to."""
    from zen_agents.agents.base import AgentContext  # noqa: PLC0415  not for one that is wrong
    from zen_agents.wiring.agents import build_agents  # noqa: PLC0415

    settings = loaded.require()
    agents = build_agents(settings, AgentContext("this host", loaded.origins))
    used = {pair for agent in agents for pair in agent.scope()}
    return {
        "mode": settings.mode.value,
        "agents": [agent.name for agent in agents],
        "rules": sum(len(agent.rules()) for agent in agents),
        "allowed": sorted(settings.actions.allow),
        "implied": sorted(f"{action} {target}" for action, target in used if action in settings.actions.allow)
        if settings.actions.built_in
        else [],
    }


def _tell(loaded: Loaded, meaning: dict[str, Any]) -> None:
    implied: Sequence[str] = meaning["implied"]
    print(
        f"OK: {plural(len(loaded.files), 'file')}, {plural(len(meaning['agents']), 'agent')}, "
        f"{plural(meaning['rules'], 'rule')}, {plural(len(meaning['allowed']), 'allowed action')}, mode {meaning['mode']}"
    )
    if implied:
        print("Without an `actions:` section the built-in allow-list holds; it implies:")
        print("\n".join(f"  {line}" for line in implied))
