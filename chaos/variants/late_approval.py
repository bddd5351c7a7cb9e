"""A person approves when it is no longer what it was."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import timedelta

from chaos.engines.base import Contender, Launch
from chaos.host import DisposableHost
from chaos.injection import inject_again
from chaos.kinds import Right, VariantKind
from chaos.scenario import Expectation
from chaos.variants.base import Variant
from chaos.waiting import NotInTimeError, wait_until

_ASKED_WITHIN_SECONDS = 30.0
#: For people to be asked twice, and to answer twice.
_LATER = timedelta(seconds=30)
#: What a message is about that asks, or says that what was asked about is over.
_ABOUT_QUESTIONS = ("may ", "recovered")


class LateApproval(Variant):
    """The approval arrives after the state it was asked for has changed: the fault has struck once more since then."""

    name = "late_approval"
    kind = VariantKind.LATE_APPROVAL
    right_answer = (
        "the approved plan is not carried out: what was approved is not what would be done now; people are asked anew, and "
        "as without it once they have approved that"
    )
    needs = ("approval",)
    answers_itself = True

    def expectation(self, expected: Expectation) -> Expectation:
        # Who repairs asks at most; how often depends on when the fault strikes again, so questions are not counted here.
        pages = 0 if expected.outcome is Right.REPAIRED else expected.pages
        return expected.model_copy(update={"within": expected.within + _LATER, "pages": pages})

    def prepare(self, host: DisposableHost) -> Launch:
        return Launch(options=("--mode", "approve"))

    def meanwhile(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        try:
            wait_until(contender.questions, "a question", seconds=_ASKED_WITHIN_SECONDS, every=0.1)
        except NotInTimeError as error:
            return [str(error)]
        asked = set(contender.questions())
        for fault in contender.scenario.faults():
            inject_again(fault, host)
        # One that was asked while it struck may be about either state.
        either = set(contender.questions()) - asked
        amiss = [f"{id} was taken although the state had moved" for id in sorted(asked) if contender.approve(id)]
        amiss += [f"done although the state had moved: {done.action} {done.target}" for done in contender.actions()]
        return [*amiss, *_agreed(contender, answered=asked, either=either)]

    def told(self, subjects: Sequence[str]) -> Sequence[str]:
        return [subject for subject in subjects if not any(words in subject.lower() for words in _ABOUT_QUESTIONS)]


def _agreed(contender: Contender, *, answered: set[str], either: Set[str]) -> Sequence[str]:
    """Agree to all that is asked from now on, until as much was done as is to be done; return what was not taken."""
    wanted, amiss = len(contender.scenario.expect.actions), []

    def is_done() -> bool:
        for id in contender.questions():
            if id not in answered:
                answered.add(id)
                if not contender.approve(id) and id not in either:
                    amiss.append(f"{id} was not taken")
        return len(contender.actions()) >= wanted

    try:
        wait_until(is_done, f"{wanted} actions that were agreed to", seconds=_LATER.total_seconds(), every=0.1)
    except NotInTimeError as error:
        amiss.append(str(error))
    return amiss
