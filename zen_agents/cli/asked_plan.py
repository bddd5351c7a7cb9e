"""What a question is about, for the commands that show it and that answer it; no store is loaded for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.render import say
from zen_agents.model.way_back import way_back


def show_asked_plan(call: Call, plan: Mapping[str, Any]) -> None:
    """Print exactly what would run, and what it could cost."""
    for step in plan.get("steps", ()):
        say(call, f"{'step':9} {step}", indent=2, hang=10)
    if plan.get("warning"):
        say(call, f"{'warning':9} {plan['warning']}", indent=2, hang=10)
    say(call, f"{'risk':9} {plan.get('risk', '-')}, reversible {way_back(plan.get('reversible', '-'))}", indent=2)
