"""What a guard answers without a value, or with all there is to say."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling


class Silent(Guard):
    """Says no more than it has to."""

    name = "silent"
    why = "It shows what an answer is made of."

    def assess(self, question: Question) -> Answer:
        return self.allow("")


def test_an_answer_is_of_its_guard_and_says_nothing_that_was_not_said() -> None:
    guard = Silent()

    assert guard.allow("fine") == Answer("silent", Ruling.ALLOW, None, "fine", "", None)
    assert guard.deny(Reason.PAUSED) == Answer("silent", Ruling.DENY, Reason.PAUSED, "", "", None)
    assert guard.hold(Reason.PAUSED) == Answer("silent", Ruling.HOLD, Reason.PAUSED, "", "", None)


def test_an_answer_holds_all_that_was_said() -> None:
    guard, said = Silent(), {"origin": "zen.yaml:1:1", "until": 60.0}

    assert guard.allow("fine", origin="zen.yaml:1:1") == Answer("silent", Ruling.ALLOW, None, "fine", "zen.yaml:1:1")
    assert guard.deny(Reason.PAUSED, "so", **said) == Answer(
        "silent", Ruling.DENY, Reason.PAUSED, "so", "zen.yaml:1:1", 60.0
    )
    assert guard.hold(Reason.PAUSED, "so", **said) == Answer(
        "silent", Ruling.HOLD, Reason.PAUSED, "so", "zen.yaml:1:1", 60.0
    )
