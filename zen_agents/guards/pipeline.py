"""Asks every guard every time; the most restrictive answer wins, and whatever goes wrong means no (R4)."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import one_line
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict

#: No person passes these, whatever the guard itself says of that.
NEVER_PASSED = frozenset({"emergency_stop", "allow_list", "protected"})


def assess(question: Question, guards: Sequence[Guard]) -> Verdict:
    """Return the most restrictive of all answers; the first of equals decides. Never raises.

    All guards are asked, also when one has refused already, so that `why --not` shows the whole row. No guards at all is a
    refusal: an empty list never means that everything is allowed (R1).
    """
    answers = tuple(_passed_or_not(_ask(guard, question), guard, question) for guard in guards)
    if not answers:
        answers = (Answer("pipeline", Ruling.DENY, Reason.GUARD_ERROR, "no guard is configured"),)
    ruling = max(answer.ruling for answer in answers)
    if ruling is Ruling.ALLOW:
        return Verdict(ruling, None, answers)
    return Verdict(ruling, next(answer.reason for answer in answers if answer.ruling is ruling), answers)


def _ask(guard: Guard, question: Question) -> Answer:
    try:
        answer = guard.assess(question)
        # A guard that answers with no reason, or with something else, has not answered.
        if answer.ruling is not Ruling.ALLOW and answer.reason is None:
            raise ValueError("answered with neither a yes nor a reason")
        Ruling(answer.ruling)
        return answer
    except Exception as error:  # whatever it is, a guard that cannot tell says no
        said = one_line(f"{type(error).__name__}: {error}")
        return Answer(guard.name, Ruling.DENY, Reason.GUARD_ERROR, said)


def _passed_or_not(answer: Answer, guard: Guard, question: Question) -> Answer:
    """Return the answer, or an ALLOW that says who passed it."""
    if answer.ruling is Ruling.ALLOW or not _may_pass(answer, guard, question):
        return answer
    refusal = answer.value or (answer.reason.sentence if answer.reason else "")
    value = f"passed by {one_line(question.request.requested_by.name)}: {refusal}"
    return Answer(answer.guard, Ruling.ALLOW, None, value, answer.origin)


def _may_pass(answer: Answer, guard: Guard, question: Question) -> bool:
    """Tell whether a person passes this refusal (6a): with a reason, and by name where the guard asks for that."""
    request = question.request
    if not request.requested_by.is_person or not request.because.strip():
        return False
    if guard.name in NEVER_PASSED or answer.reason is Reason.GUARD_ERROR:
        return False
    named = guard.name in request.override or answer.reason in request.override
    return not guard.binds_people or (guard.overridable and named)
