"""What the guards answered, as people read it: the refusing ones first, each with its value and where its limit stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.render import say
from zen_agents.cli.times import ago
from zen_agents.guards.set_by import default_of
from zen_agents.model.reason import Reason

_NOTHING: Mapping[str, Any] = {}
_ORDER = {"deny": 0, "simulate": 1, "hold": 2, "allow": 3}
#: What most people ask about an action that was allowed.
_OF_INTEREST = ("mode", "maintenance", "allow_list", "cooldown", "rate_limit", "breaker", "approval")
#: What no override passes; naming it is refused before anybody is asked.
NEVER_OVERRIDDEN = frozenset({"emergency_stop", "allow_list", "not_allowed", "out_of_scope", "protected", "guard_error"})


def sentence(word: object) -> str:
    """Return what a reason's word means, "" for one that this version does not know."""
    return Reason(str(word)).sentence if str(word) in set(Reason) else ""


def deciding(answers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the answer that refused: the first of the most restrictive; None if all allow."""
    refusals = [answer for answer in answers if answer["ruling"] != "allow"]
    return min(refusals, key=lambda answer: _ORDER.get(answer["ruling"], 0)) if refusals else None


def show_answers(
    call: Call, answers: Sequence[Mapping[str, Any]], *, about: Mapping[str, Any] = _NOTHING, now: float | None = None,
    indent: int = 4, every: bool = True,
) -> None:  # fmt: skip
    """Print an answer a line, refusals first; `every=False` leaves out what passed and is of less interest.

    `about` names the action, target and rule that the guards were asked about: by them a default's key is told. With `now`
    (steady) it is also said how much of a refusal's time is left.
    """
    ordered = sorted(answers, key=lambda answer: _ORDER.get(answer["ruling"], 0))
    shown = [answer for answer in ordered if every or answer["ruling"] != "allow" or answer["guard"] in _OF_INTEREST]
    for answer in shown:
        _show(call, answer, about, now, indent)
    if hidden := len(ordered) - len(shown):
        asked = f"{hidden} more guards were asked, all passed" if hidden > 1 else "1 more guard was asked, and passed"
        print(f"{' ' * indent}{asked} (-v shows each)")


def show_rule(call: Call, facts: Mapping[str, Any], *, indent: int = 4) -> None:
    """Print which rule a decision rests on and where it stands in the configuration, if the ledger says so."""
    if facts.get("origin"):
        say(call, f"{'rule':18} {'':9} {facts.get('rule')}  {_place(call, facts)}", indent=indent, hang=29)


def _show(call: Call, answer: Mapping[str, Any], about: Mapping[str, Any], now: float | None, indent: int) -> None:
    word = "pass" if answer["ruling"] == "allow" else str(answer["ruling"]).upper()
    where = _place(call, answer) or _default(answer, about)
    parts = [str(answer.get("reason", "")), str(answer.get("value", "")), _left(answer, now), where]
    text = f"{answer['guard']:18} {word:9} {'  '.join(filter(None, parts))}"
    say(call, text, indent=indent, hang=29, paint=word)


def _left(answer: Mapping[str, Any], now: float | None) -> str:
    until = answer.get("until")
    if now is None or until is None or answer["ruling"] == "allow":
        return ""
    return f"now {ago(until - now)} left" if until > now else "over by now"


def _default(answer: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    agent = about.get("agent") or str(about.get("rule") or "").partition(".")[0]
    names = {"agent": agent, "action": about.get("action"), "target": about.get("target")}
    return default_of(
        str(answer["guard"]), str(answer.get("reason", "")), **{name: str(value or "") for name, value in names.items()}
    )


def _place(call: Call, answer: Mapping[str, Any]) -> str:
    origin = str(answer.get("origin", ""))
    return origin if call.arguments.verbose or call.output == "wide" else PurePath(origin).name
