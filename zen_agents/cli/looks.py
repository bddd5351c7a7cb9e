"""Looks that are under way, before a repair or by a check that takes long: they may take minutes, and somebody waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.times import ago
from zen_agents.errors import ZenError


def looks_under_way(call: Call) -> Mapping[str, str]:
    """Return by its target what is found out about each, before an action rather than by a check; {} without an engine."""
    if living_engine(call.state_dir) is None:
        return {}
    try:
        status = call.ask("status")
    except ZenError:
        return {}
    looks = sorted(status.get("looks", ()), key=lambda each: each["action"] is not None)
    return {each["target"]: in_words(each) for each in looks}


def in_words(look: Mapping[str, Any]) -> str:
    """Return for what it is, how far, and for how long already."""
    how_far = "" if look["share"] is None else f", {look['share']:.0%} done"
    return f"{_doing(look)}{how_far}, for {ago(look['since_seconds'])}"


def _doing(look: Mapping[str, Any]) -> str:
    if look["action"] is not None:
        return f"finding out what {look['action']} would do"
    return "looking at it" if look["doing"] else "looking at it, or waiting to"
