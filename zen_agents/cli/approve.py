"""Say yes to what is asked. It is not run by this: the plan is made anew and every guard asked anew, and then it is done.

Examples:
  zen-agents approve apr-2c8d --reason "seen, ok"            shows exactly what runs, then asks
  zen-agents approve apr-2c8d --reason "seen" --yes --wait 2m
  zen-agents approve --token TOKEN --reason "seen" --yes

Exit: 0 taken (with --wait: verified), 1 not wanted or failed, 4 refused (stale, answered already), 5 expired or not done in
time, 6 not known whether it worked, 77 you may not approve.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from zen_agents.cli.asked_plan import show_asked_plan
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.times import seconds_of
from zen_agents.errors import ExpiredError, UsageError

_EXIT = {"verified": 0, "failed": 1, "timed_out": 1}
_UNDER_WAY = (None, "running", "verifying")
#: How often `--wait` looks (seconds).
_LOOK_EVERY = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `approve` takes."""
    parser.add_argument("approval", nargs="?", help="the question's id, a unique beginning of it, or @last")
    parser.add_argument("--token", metavar="TOKEN", help="a signed token that names the question; it counts once")
    parser.add_argument("--wait", metavar="DURATION", help="wait for the outcome, at most so long")


def run(call: Call) -> int:
    """Show what would run, ask, and answer."""
    wanted = call.arguments
    if bool(wanted.approval) == bool(wanted.token):
        raise UsageError("approve takes the id of a question, or --token TOKEN; zen-agents approvals lists them")
    args = {"token": wanted.token} if wanted.token else {"approval": wanted.approval}
    asked = call.ask("approval", approval=wanted.token or wanted.approval)
    if not call.machine:
        say(call, f"{asked['approval']}  {asked['action']} {asked['target']}: {asked['state'].upper()}")
        show_asked_plan(call, asked["plan"])
    reason = call.reason()
    if not call.confirm(f"May {asked['action']} {asked['target']} be done?"):
        note("nothing was answered")
        return 1
    result = call.ask("approve", timeout_seconds=30.0, reason=reason, **args)
    if wanted.wait:
        result = _outcome(call, result["approval"], seconds_of(wanted.wait))
    return _told(call, result)


def _outcome(call: Call, id: str, seconds: float) -> Mapping[str, Any]:
    """Return the question once what it allows has ended. ExpiredError if that takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        result: Mapping[str, Any] = call.ask("approval", approval=id)
        if result["state"] not in ("pending", "approved") and result["outcome"] not in _UNDER_WAY:
            return result
        if result["state"] not in ("pending", "approved", "used"):
            raise ExpiredError(f"{id} is {result['state']}: {result['ended_why']}; nothing was run")
        if time.monotonic() >= deadline:
            raise ExpiredError(f"{id} is {result['state']}, and not done within {call.arguments.wait}")
        time.sleep(_LOOK_EVERY)


def _told(call: Call, result: Mapping[str, Any]) -> int:
    outcome = result.get("outcome")
    if call.machine:
        data(call, "approval", result)
    elif outcome:
        say(call, f"{result['approval']}: {result['used_by']} {outcome.upper()}", paint=outcome.upper())
        next_steps(call, f"zen-agents actions show {result['used_by']}")
    elif result["state"] == "approved":
        say(call, f"{result['approval']} approved; it is done if every guard still agrees.")
        next_steps(call, "zen-agents actions", f"zen-agents approvals show {result['approval']}")
    else:
        say(call, f"{result['approval']}: {result['agreed']} of {result['needed']} agreed; another person is needed.")
    return _EXIT.get(outcome, 6) if outcome else 0
