"""What came of what was asked of the engine: whole for a program, a sentence and what comes next for a person."""

from __future__ import annotations

from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, say


def tell(call: Call, kind: str, result: Any, said: str, *following: str) -> int:
    """Print a result, or what it means and the commands that may follow; return the exit code of what was done."""
    if call.machine:
        data(call, kind, result)
        return 0
    say(call, said)
    if following:
        next_steps(call, *following)
    return 0
