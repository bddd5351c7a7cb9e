"""What a command has the engine do, by its own guards, ledger and verification: judged, shown, asked for, done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.cli.act import EXIT, JUDGED_WITHIN, LONGEST, show_plan
from zen_agents.cli.answers import deciding, sentence
from zen_agents.cli.call import Call
from zen_agents.cli.cut_short import said_if_cut_short
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.times import took
from zen_agents.dataclass import dataclass
from zen_agents.errors import NotRunningError, RefusedError
from zen_agents.model.reason import Reason

_NOTHING, _DECLINED, _NOT_KNOWN = 0, 1, 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """One action on one target, and how it is spoken of."""

    action: str
    target: str
    #: What is looked at, what is done, and what a person is asked: whole phrases.
    looking: str
    doing: str
    question: str
    #: Why an engine is needed, and what does it without one.
    without: str


def through_engine(call: Call, wanted: Sequence[Wanted]) -> Sequence[dict[str, Any]]:
    """Have each done, and return what came of it, with its exit code; NotRunningError if no engine runs."""
    return [_one(call, each) for each in wanted]


def ended(call: Call, done: Sequence[dict[str, Any]]) -> int:
    """Tell people how to go on, and return the worst exit code."""
    acted = [each["action"] for each in done if each["action"]]
    if acted and not call.machine:
        next_steps(call, *(f"zen-agents actions show {action}" for action in acted), f"zen-agents undo {acted[-1]}")
    return max((each["exit"] for each in done), default=_NOTHING)


def _one(call: Call, wanted: Wanted) -> dict[str, Any]:
    args = {"action": wanted.action, "target": wanted.target, "override": []}
    reason = call.reason(needed=not call.arguments.dry_run) or "dry run"
    left = f"{wanted.target} was only looked at, and nothing was changed; the same command goes on"
    with said_if_cut_short(lambda: left), Progress(call) as shown:
        shown.show(wanted.looking)
        judged = _judged(call, wanted, reason, args)
    body = {
        "target": wanted.target, "ruling": judged["ruling"], "reason": judged["reason"], "plan": judged["plan"],
        "action": "", "outcome": "", "took_seconds": 0.0, "detail": "",
    }  # fmt: skip
    if judged["reason"] == Reason.STALE_PLAN:
        _say(call, f"{wanted.target}: nothing to do")
        return {**body, "exit": _NOTHING}
    if judged["ruling"] != "allow":
        _refused(call, wanted, judged)
        return {**body, "exit": RefusedError.exit_code}
    _say(call, f"{wanted.target}:")
    if not call.machine:
        show_plan(call, judged["plan"])
    if call.arguments.dry_run:
        return {**body, "exit": _NOTHING}
    if not call.confirm(wanted.question):
        note("nothing was done")
        return {**body, "exit": _DECLINED}
    return {**body, **_acted(call, wanted, reason, {**args, "shown": judged["plan"]["digest"]})}


def _judged(call: Call, wanted: Wanted, reason: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        judged: Mapping[str, Any] = call.ask("judge", timeout_seconds=JUDGED_WITHIN, reason=reason, **args)
    except NotRunningError as error:
        raise NotRunningError(f"{error}; {wanted.without}") from error
    return judged


def _acted(call: Call, wanted: Wanted, reason: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    with said_if_cut_short(lambda: "the engine goes on with it: zen-agents actions show @last"), Progress(call) as shown:
        shown.show(wanted.doing)
        result = call.ask("act", timeout_seconds=LONGEST, reason=reason, wait=True, **args)
    word = str(result["outcome"]).upper()
    _say(call, f"{result['action']}  {word} in {took(result['took_seconds'])}  {result['detail']}", paint=word)
    told = {name: result[name] for name in ("action", "outcome", "took_seconds", "detail")}
    return {**told, "exit": EXIT.get(result["outcome"], _NOT_KNOWN)}


def _refused(call: Call, wanted: Wanted, judged: Mapping[str, Any]) -> None:
    refusal = deciding(judged["guards"])
    why = f"{judged['reason']} - {sentence(judged['reason'])}" if judged["reason"] else ""
    _say(call, f"{wanted.target}: {str(judged['ruling']).upper()} {why}", paint=str(judged["ruling"]).upper())
    if refusal is not None and refusal.get("value") and not call.machine:
        say(call, str(refusal["value"]), indent=2, hang=2)
    if judged["plan"] and not call.machine:
        show_plan(call, judged["plan"])


def _say(call: Call, text: str, **how: Any) -> None:
    if not call.machine:
        say(call, text, **how)
