"""Go back to the last known good state: undo what was done since, the newest first, as far as that still can be.

Examples:
  zen-agents rollback --to 2h --dry-run             what would be undone, and what not; does nothing
  zen-agents rollback --to 03:10 --reason "since then the site is slow"
  zen-agents rollback --to act-7m3x --reason ...    as it was right before that action

First every agent is paused until you resume it: checks and alerts go on, nothing is changed. What cannot be undone is named,
with the reason. When you know the cause: zen-agents resume --staged

Exit: 0 all undone, or nothing to undo; 1 something is left, or not wanted; 4 refused.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from zen_agents.cli.act import LONGEST
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, note, plural, say, table
from zen_agents.cli.times import moment_of
from zen_agents.clock import SystemClock

_LEFT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `rollback` takes."""
    parser.add_argument("--to", metavar="TIME|ACTION", required=True, help="2h, 03:10, yesterday, ISO, or an action's id")
    parser.add_argument("--dry-run", action="store_true", help="say what would be undone, do nothing")


def run(call: Call) -> int:
    """Show it, ask for a yes, roll back, and tell what came of each action."""
    wanted = call.arguments
    to = wanted.to if wanted.to.startswith(("act-", "@")) else moment_of(wanted.to, SystemClock().now().wall).isoformat()
    reason = call.reason(needed=not wanted.dry_run)
    planned = call.ask("judge_rollback", to=to, reason=reason or "dry run", timeout_seconds=LONGEST)
    if wanted.dry_run:
        return _told(call, planned)
    if not call.machine:
        _show(call, planned)
    if not call.confirm(_question(planned)):
        note("nothing was done")
        return _LEFT
    # What was shown is what is done, also where @last names another one by then.
    done = call.ask("rollback", to=planned["named"], reason=reason, timeout_seconds=LONGEST)
    code = _told(call, done)
    if not call.machine:
        say(call, f"Every agent only observes: {', '.join(done['paused'])}.")
        next_steps(call, "zen-agents incidents", "zen-agents resume --staged")
    return code


def _question(planned: Mapping[str, Any]) -> str:
    if planned["left"] == len(planned["steps"]):
        return "Nothing of this can be undone. Pause every agent all the same?"
    return "Pause every agent and undo these?"


def _told(call: Call, result: Mapping[str, Any]) -> int:
    if call.machine:
        data(call, "rollback", result)
    else:
        _show(call, result)
    return _LEFT if result["left"] else 0


def _show(call: Call, result: Mapping[str, Any]) -> None:
    steps = result["steps"]
    say(call, f"Back to {result['to']}: {plural(len(steps), 'action')} since, {result['left']} cannot be undone.")
    if steps:
        rows = [(step["id"], step["action"], step["target"], _word(step), step["detail"]) for step in steps]
        table(call, ("ID", "ACTION", "TARGET", "RESULT", "WHY"), rows)


def _word(step: Mapping[str, Any]) -> str:
    return {"would_undo": "would undo"}.get(step["result"], str(step["result"]))
