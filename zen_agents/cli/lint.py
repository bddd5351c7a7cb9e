"""What can be proved of the rules without running them: how much they may do in an hour, and what can never work.

Examples:
  zen-agents lint                                   the configuration that would be used
  zen-agents lint my.yaml --format github           for a pull request; also concise, json, sarif
  zen-agents lint --at-most 10                      fail if more than ten actions in one hour are possible

Exit: 0 nothing found, 1 something is, 78 the configuration is not valid.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.parsing import positive
from zen_agents.cli.render import colour_wanted, plural, table
from zen_agents.errors import SettingsError
from zen_agents.lint.bounds import Bound, Bounds, worst_case
from zen_agents.lint.findings import findings
from zen_agents.lint.rule_set import RuleSet, examine
from zen_agents.settings.loader import load_tree
from zen_agents.settings.rendering import FORMATS, as_json, render

_FOUND = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `lint` takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, in order; - is standard input")
    parser.add_argument("--format", choices=FORMATS, default="full", help="how to print (default full)")
    parser.add_argument(
        "--at-most", metavar="N", type=positive, help="fail if more than so many actions are possible in an hour"
    )


def run(call: Call) -> int:
    """Examine the rules, tell what is wrong with them and what they may do at worst."""
    loaded, root = load_tree(call.arguments.paths or [str(config_of(call))], os.environ)
    form = call.arguments.format
    if loaded.settings is None:
        if call.machine:
            loaded.require()
        print(render(loaded.errors, form, colour=colour_wanted(call), files=loaded.files))
        return SettingsError.exit_code
    rule_set = asyncio.run(examine(loaded, root))
    found = findings(rule_set)
    bounds = worst_case(list(rule_set.rules.values()), rule_set.today, rule_set.policy)
    over = call.arguments.at_most is not None and bounds.whole.most > call.arguments.at_most
    if call.machine:
        data(call, "lint", {"files": list(loaded.files), "findings": [as_json(each) for each in found], **_body(bounds)})
    else:
        if text := render(found, form, colour=colour_wanted(call), files=loaded.files):
            print(text)
        if form in ("full", "concise"):
            _show(call, rule_set, bounds, over)
    return _FOUND if found or over else 0


def _body(bounds: Bounds) -> dict[str, Any]:
    def of(bound: Bound) -> dict[str, Any]:
        return {"most": bound.most, "by": bound.by}

    return {
        "worst_case": of(bounds.whole),
        "agents": [{"agent": name, **of(bound)} for name, bound in bounds.agents.items()],
        "rules": [{"rule": key, **of(bound)} for key, bound in bounds.rules.items()],
    }


def _show(call: Call, rule_set: RuleSet, bounds: Bounds, over: bool) -> None:
    rows = [(rule_set.rules[key].name, rule_set.rules[key].target, str(bound.most), bound.by)
            for key, bound in bounds.rules.items()]  # fmt: skip
    if rows:
        table(call, ("RULE", "TARGET", "PER HOUR", "HELD BY"), rows)
    for name, bound in bounds.agents.items():
        print(f"{name}: at most {plural(bound.most, 'action')} an hour, by {bound.by}")
    whole = f"At worst {plural(bounds.whole.most, 'action')} an hour, by {bounds.whole.by}"
    print(f"{whole}: more than --at-most {call.arguments.at_most}" if over else f"{whole}.")
