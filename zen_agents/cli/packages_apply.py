"""`packages apply`: have the engine upgrade what is due in a place, by its own guards, ledger and verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zen_agents.agents.dependency_manager.looking import Looked
from zen_agents.cli.act import EXIT, JUDGED_WITHIN, LONGEST, show_plan
from zen_agents.cli.answers import deciding, sentence
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.packages_places import configured
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.times import took
from zen_agents.errors import NotRunningError, RefusedError, UsageError
from zen_agents.model.reason import Reason

#: Who upgrades what; what is not here people upgrade themselves.
_ACTIONS: Final = {"pypi": "upgrade_python_packages", "debian": "upgrade_debian_packages"}
_NOTHING, _DECLINED, _NOT_KNOWN = 0, 1, 6


def apply(call: Call) -> int:
    """Judge, show, ask for a yes and act, place by place; the worst exit code of them."""
    places = _places(call)
    done = [_applied(call, place) for place in places]
    if call.machine:
        data(call, "packages-apply", done)
    elif acted := [each["action"] for each in done if each["action"]]:
        next_steps(call, *(f"zen-agents actions show {action}" for action in acted), f"zen-agents undo {acted[-1]}")
    return max((each["exit"] for each in done), default=_NOTHING)


def _places(call: Call) -> Sequence[Looked]:
    """Return the listed places that can be upgraded, or the one that was named."""
    listed, name = configured(call), call.arguments.name
    found = [each for each in listed if not name or name in (each.label, each.target, each.asked.place)]
    if not found:
        known = ", ".join(each.label for each in listed) or "nothing"
        raise UsageError(f"{name or 'dependency_manager'} lists no place to upgrade; the configuration names: {known}")
    for each in found:
        if each.asked.ecosystem not in _ACTIONS:
            note(f"{each.label}: packages of {each.asked.ecosystem} are told of and not upgraded")
    return [each for each in found if each.asked.ecosystem in _ACTIONS]


def _applied(call: Call, place: Looked) -> dict[str, Any]:
    args = {"action": _ACTIONS[place.asked.ecosystem], "target": place.target, "override": []}
    reason = call.reason(needed=not call.arguments.dry_run) or "dry run"
    with Progress(call) as shown:
        shown.show(f"looking at {place.asked.place}")
        judged = _judged(call, reason, args)
    body = {
        "target": place.target, "ruling": judged["ruling"], "reason": judged["reason"], "plan": judged["plan"],
        "action": "", "outcome": "", "took_seconds": 0.0, "detail": "",
    }  # fmt: skip
    if judged["reason"] == Reason.STALE_PLAN:
        _say(call, f"{place.target}: nothing to do")
        return {**body, "exit": _NOTHING}
    if judged["ruling"] != "allow":
        _refused(call, place, judged)
        return {**body, "exit": RefusedError.exit_code}
    _say(call, f"{place.target}:")
    if not call.machine:
        show_plan(call, judged["plan"])
    if call.arguments.dry_run:
        return {**body, "exit": _NOTHING}
    if not call.confirm(f"Upgrade {place.target}?"):
        note("nothing was done")
        return {**body, "exit": _DECLINED}
    return {**body, **_acted(call, place, reason, args)}


def _judged(call: Call, reason: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        judged: Mapping[str, Any] = call.ask("judge", timeout_seconds=JUDGED_WITHIN, reason=reason, **args)
    except NotRunningError as error:
        raise NotRunningError(
            f"{error}; upgrades are written down, watched and taken back by an engine. For one round alone: "
            "zen-agents once --agent dependency_manager --yes"
        ) from error
    return judged


def _acted(call: Call, place: Looked, reason: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    with Progress(call) as shown:
        shown.show(f"upgrading {place.asked.place}: it is tried first, and watched afterwards")
        result = call.ask("act", timeout_seconds=LONGEST, reason=reason, wait=True, **args)
    word = str(result["outcome"]).upper()
    _say(call, f"{result['action']}  {word} in {took(result['took_seconds'])}  {result['detail']}", paint=word)
    told = {name: result[name] for name in ("action", "outcome", "took_seconds", "detail")}
    return {**told, "exit": EXIT.get(result["outcome"], _NOT_KNOWN)}


def _refused(call: Call, place: Looked, judged: Mapping[str, Any]) -> None:
    refusal = deciding(judged["guards"])
    why = f"{judged['reason']} - {sentence(judged['reason'])}" if judged["reason"] else ""
    _say(call, f"{place.target}: {str(judged['ruling']).upper()} {why}", paint=str(judged["ruling"]).upper())
    if refusal is not None and refusal.get("value") and not call.machine:
        say(call, str(refusal["value"]), indent=2, hang=2)
    if judged["plan"] and not call.machine:
        show_plan(call, judged["plan"])


def _say(call: Call, text: str, **how: Any) -> None:
    if not call.machine:
        say(call, text, **how)
