"""A person approves when it is no longer what it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chaos.engines.base import Contender, Launch
from chaos.host import DisposableHost
from chaos.injection import inject
from chaos.scenario import Expectation, Right, VariantKind
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
            asked = _questions(contender, besides=())
            for fault in contender.scenario.faults():
                inject(fault, host)
            amiss = [f"{id} was taken although the state had moved" for id in asked if contender.approve(id)]
            amiss += [f"done although the state had moved: {done.action} {done.target}" for done in contender.actions()]
            anew = _questions(contender, besides=asked)
        except NotInTimeError as error:
            return [str(error)]
        return [*amiss, *(f"{id} was not taken" for id in anew if not contender.approve(id))]

    def told(self, subjects: Sequence[str]) -> Sequence[str]:
        return [subject for subject in subjects if not any(words in subject.lower() for words in _ABOUT_QUESTIONS)]


def _questions(contender: Contender, *, besides: Sequence[str]) -> Sequence[str]:
    """Return what people are asked, once that is as much as there is to do; NotInTimeError if it does not come to that."""
    wanted = len(contender.scenario.expect.actions)

    def fresh() -> Sequence[str]:
        return [id for id in contender.questions() if id not in besides]

    wait_until(lambda: len(fresh()) >= wanted, f"{wanted} questions", seconds=_ASKED_WITHIN_SECONDS, every=0.1)
    return fresh()
