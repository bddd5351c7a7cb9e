"""Run an allowed action by hand, through the same guards, ledger and verification as the engine's own.

  act restart_service web --reason "deploy"
  act restart_service web --override cooldown,rate_limit --reason "second try after the fix"

Exit: 0 verified, 1 failed, 4 refused by a guard, 6 not known whether it worked.
"""

from __future__ import annotations

import argparse

from zen_agents.cli.call import Call
from zen_agents.cli.decisions import guard_lines
from zen_agents.cli.render import clean, data, next_steps
from zen_agents.errors import RefusedError

_EXIT = {"verified": 0, "failed": 1, "timed_out": 1, "running": 0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `act` takes."""
    parser.add_argument("action", help="an action of the allow-list")
    parser.add_argument("target", help="what to do it to, by its name in the configuration")
    parser.add_argument("--override", metavar="GUARD,...", default="", help="pass these guards (never emergency_stop, ...)")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the outcome")
    parser.add_argument("--dry-run", action="store_true", help="say what the guards would answer, do nothing")


def run(call: Call) -> int:
    """Judge, ask for a yes, act, and tell the outcome."""
    wanted = call.arguments
    args = {"action": wanted.action, "target": wanted.target, "override": [n for n in wanted.override.split(",") if n]}
    reason = call.reason(needed=not wanted.dry_run)
    judged = call.ask("judge", reason=reason, **args)
    if wanted.dry_run or judged["ruling"] != "allow":
        return _judged(call, judged)
    if not call.machine:
        for step in judged["plan"]["steps"]:
            print(f"  {clean(step)}")
        print(f"  risk {judged['plan']['risk']}, reversible {judged['plan']['reversible']}")
    if not call.confirm(f"Run {wanted.action} on {judged['target']}?"):
        return 1
    result = call.ask("act", timeout_seconds=900.0, reason=reason, wait=not wanted.no_wait, **args)
    if call.machine:
        data(call, "act", result)
    else:
        print(
            f"{result['action']}  {result['outcome'].upper()} in {result['took_seconds']:.1f} s  {clean(result['detail'])}"
        )
        next_steps(call, f"zen-agents actions show {result['action']}")
    return _EXIT.get(result["outcome"], 6)


def _judged(call: Call, judged: dict[str, object]) -> int:
    if call.machine:
        data(call, "judgement", judged)
    else:
        print(f"{judged['action']} {judged['target']}: {str(judged['ruling']).upper()} {judged['reason'] or ''}")
        guard_lines(judged)
    return 0 if judged["ruling"] == "allow" else RefusedError.exit_code
