"""Run an allowed action by hand, through the same guards, ledger and verification as the engine's own.

Examples:
  zen-agents act restart_service web --reason "deploy"
  zen-agents act restart_service web --dry-run      what the guards would say; does nothing
  zen-agents act restart_service web --override cooldown,rate_limit --reason "second try after the fix"

Exit: 0 verified, 1 failed or not wanted, 4 refused by a guard, 6 not known whether it worked.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from zen_agents.cli.answers import NEVER_OVERRIDDEN, deciding, sentence, show_answers
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.listing import one_of
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.times import took
from zen_agents.errors import RefusedError
from zen_agents.model.reason import Reason
from zen_agents.model.way_back import way_back

#: What an outcome ends a command with; every other one is not known.
EXIT = {"verified": 0, "failed": 1, "timed_out": 1, "running": 0}
#: The longest an action and its verification may take (seconds); the engine ends both before.
LONGEST = 7200.0
#: Looking and resolving are part of a judgement, and data may be looked at for as long as its limits say (seconds); the
#: engine gives up on them before.
JUDGED_WITHIN = 7200.0


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
    args = {"action": wanted.action, "target": wanted.target, "override": override_of(wanted.override)}
    reason = call.reason(needed=not wanted.dry_run)
    judged = call.ask("judge", timeout_seconds=JUDGED_WITHIN, reason=reason or "dry run", **args)
    one_of(wanted.override, [*(answer["guard"] for answer in judged["guards"]), *map(str, Reason)], "guard")
    if wanted.dry_run or judged["ruling"] != "allow":
        return _judged(call, judged)
    if not call.machine:
        show_plan(call, judged["plan"])
    if not call.confirm(f"Run {wanted.action} on {judged['target']}?"):
        note("nothing was done")
        return 1
    result = call.ask("act", timeout_seconds=LONGEST, reason=reason, wait=not wanted.no_wait, **args)
    if call.machine:
        data(call, "act", result)
        return EXIT.get(result["outcome"], 6)
    after = "" if wanted.no_wait else f" in {took(result['took_seconds'])}"
    say(call, f"{result['action']}  {result['outcome'].upper()}{after}  {result['detail']}", paint=result["outcome"].upper())
    next_steps(call, f"zen-agents actions show {result['action']}", f"zen-agents why {result['action']}")
    return EXIT.get(result["outcome"], 6)


def override_of(text: str) -> list[str]:
    """Return the guards that are to be passed; RefusedError for one that nobody passes."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if never := sorted(NEVER_OVERRIDDEN.intersection(names)):
        raise RefusedError(f"nobody passes {', '.join(never)}", reason=never[0])
    return names


def show_plan(call: Call, plan: Mapping[str, Any], *, of_undo: bool = False) -> None:
    """Print what exactly would be done, and whether that can be taken back."""
    for step in plan["steps"]:
        say(call, step, indent=2, hang=2)
    if plan.get("warning"):
        say(call, f"warning: {plan['warning']}", indent=2, hang=9)
    way = (
        "no undo of its own: what it takes back can be done again"
        if of_undo
        else f"reversible {way_back(plan['reversible'])}"
    )
    say(call, f"risk {plan['risk']}, {way}", indent=2)


def _judged(call: Call, judged: Mapping[str, Any]) -> int:
    allowed = judged["ruling"] == "allow"
    if call.machine:
        data(call, "judgement", judged)
    else:
        why = f" {judged['reason']} - {sentence(judged['reason'])}" if judged["reason"] else ""
        word = str(judged["ruling"]).upper()
        say(call, f"{judged['action']} {judged['target']}: {word}{why}", paint=word)
        if judged["plan"] and call.arguments.dry_run:
            show_plan(call, judged["plan"])
        every = bool(call.arguments.verbose or call.arguments.dry_run)
        show_answers(call, judged["guards"], about=judged, every=every)
        _way_past(call, judged)
    return 0 if allowed else RefusedError.exit_code


def _way_past(call: Call, judged: Mapping[str, Any]) -> None:
    refusal = deciding(judged["guards"])
    if refusal is None:
        return
    again = f"zen-agents act {judged['action']} {call.arguments.target} --reason TEXT"
    if refusal["guard"] == "emergency_stop":
        next_steps(call, "zen-agents resume --from-emergency", "zen-agents status")
    elif refusal["guard"] not in NEVER_OVERRIDDEN:
        next_steps(call, f"{again} --override {refusal['guard']}", f"zen-agents explain guard {refusal['guard']}")
