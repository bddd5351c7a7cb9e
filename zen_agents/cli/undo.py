"""Take back what an action did: through the same guards, ledger and verification as everything else.

Examples:
  zen-agents undo act-7m3x --reason "the directory was removed on purpose"
  zen-agents undo @last --dry-run                   what would be done, and what the guards would say; does nothing

The rule that did it is paused for 24h, so that the engine does not do it again; `resume` lifts that.
What has no way back, was undone already, or was changed since by somebody else is refused, and nothing is done.

Exit: 0 undone, 1 failed or not wanted, 4 refused, 6 not known whether it worked.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from zen_agents.cli.act import EXIT, JUDGED_WITHIN, LONGEST, override_of, show_plan
from zen_agents.cli.answers import sentence, show_answers
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.times import ago, took
from zen_agents.errors import RefusedError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `undo` takes."""
    parser.add_argument("action", help="id of the action, or @last")
    parser.add_argument("--override", metavar="GUARD,...", default="", help="pass these guards (never emergency_stop, ...)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")


def run(call: Call) -> int:
    """Judge, ask for a yes, take it back, and tell the outcome."""
    wanted = call.arguments
    args = {"undoes": wanted.action, "override": override_of(wanted.override)}
    # Nobody is asked why before it is known that there is a way back.
    asked = call.reason(needed=False) or "dry run"
    judged = call.ask("judge_undo", timeout_seconds=JUDGED_WITHIN, reason=asked, **args)
    if wanted.dry_run or judged["ruling"] != "allow":
        return _judged(call, judged)
    # What was shown is what is done, also where @last names another one by then.
    args["undoes"] = judged["undoes"]
    if not call.machine:
        _show(call, judged)
    reason = call.reason()
    if not call.confirm("Go?"):
        note("nothing was done")
        return 1
    result = call.ask("undo", timeout_seconds=LONGEST, reason=reason, **args)
    if call.machine:
        data(call, "undo", result)
        return EXIT.get(result["outcome"], 6)
    word = "UNDONE" if result["outcome"] == "verified" else result["outcome"].upper()
    say(call, f"{result['undoes']}  {word} in {took(result['took_seconds'])}  {result['detail']}", paint=word)
    next_steps(
        call, f"zen-agents actions show {result['action']}", *(f"zen-agents resume {scope}" for scope in result["paused"])
    )
    return EXIT.get(result["outcome"], 6)


def _show(call: Call, judged: Mapping[str, Any]) -> None:
    say(call, f"Undo {judged['undone_action']} {judged['target']} ({judged['undoes']})")
    show_plan(call, judged["plan"], of_undo=True)
    for scope in judged["paused"]:
        say(
            call,
            f"also: {scope} is paused for {ago(judged['paused_seconds'])}, so that it is not done again",
            indent=2,
            hang=6,
        )


def _judged(call: Call, judged: Mapping[str, Any]) -> int:
    allowed = judged["ruling"] == "allow"
    if call.machine:
        data(call, "judgement", judged)
    else:
        word, reason = str(judged["ruling"]).upper(), judged["reason"]
        why = f" {reason} - {sentence(reason)}" if reason else ""
        say(call, f"undo {judged['undoes']}: {word}{why}", paint=word)
        if judged["plan"]:
            _show(call, judged)
        show_answers(call, judged["guards"], every=bool(call.arguments.verbose))
    return 0 if allowed else RefusedError.exit_code
