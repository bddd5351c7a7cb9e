"""What belongs to an incident, as `why` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.render import say
from zen_agents.rules.correlation import Related

#: Shown without -v, the last.
_SHOWN = 5


def related_body(related: Sequence[Related]) -> list[dict[str, Any]]:
    """Return what belongs to an incident as plain JSON."""
    return [
        {"incident": each.incident.id, "rule": each.incident.rule, "target": each.incident.target,
         "began_at": each.incident.began_at.wall.isoformat(), "why": each.why,
         "shared": [{"kind": kind, "value": value} for kind, value in each.shared]}
        for each in related
    ]  # fmt: skip


def show_related(call: Call, related: Sequence[Related]) -> None:
    """Print what belongs to an incident, a line each; nothing if nothing does."""
    if not related:
        return
    print()
    print("Belongs together with:")
    shown = related if call.arguments.verbose else related[-_SHOWN:]
    for each in shown:
        incident = each.incident
        say(
            call, f"{call.clock(incident.began_at.wall)}  {incident.id}  {incident.rule} on {incident.target}: {each.why}",
            indent=2, hang=12,
        )  # fmt: skip
    if hidden := len(related) - len(shown):
        print(f"  ... and {hidden} older (-v shows them)")
