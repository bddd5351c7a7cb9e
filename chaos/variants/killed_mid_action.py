"""The engine is killed in the middle of an action, and started again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from chaos.engines.base import Contender, Launch, Performed
from chaos.host import DisposableHost
from chaos.kinds import VariantKind
from chaos.scenario import Expectation
from chaos.variants.base import Variant
from chaos.waiting import NotInTimeError, wait_until
from zen_agents.store.failpoint import VARIABLE

#: Time for the next engine to start: less than `verify_within` (60 s), which nothing has to wait for.
_STARTED_WITHIN = timedelta(seconds=20)


class _Killed(Variant):
    """`kill -9` at one place of the engine's own code, at which it passes once for each action."""

    kind = VariantKind.KILLED_MID_ACTION
    failpoint: ClassVar[str]
    within_seconds: ClassVar[float] = 60.0

    def prepare(self, host: DisposableHost) -> Launch:
        return Launch(environment={VARIABLE: f"{self.failpoint}:kill"})

    def meanwhile(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        try:
            wait_until(lambda: not contender.is_running(), "its end", seconds=self.within_seconds)
        except NotInTimeError:
            return [f"it was not killed: it did not get to {self.failpoint} within {self.within_seconds:g} s"]
        contender.start()
        return ()


class KilledBeforeTheDeed(_Killed):
    """The intent is durable, nothing is done yet, which the next engine knows by a mark that still lies there."""

    name = "killed_before_the_deed"
    right_answer = (
        "repaired once, at once after the start, by an action of its own that every guard was asked about; the interrupted "
        "one ends as skipped, is never repeated as it stands, and is no attempt; "
        "whoever had agreed to it is asked once more"
    )
    failpoint = "store.reserve.after_commit"

    def __init__(self) -> None:
        self._needed = 0

    def expectation(self, expected: Expectation) -> Expectation:
        self._needed = len(expected.actions)
        return expected.model_copy(update={"within": expected.within + _STARTED_WITHIN})

    def counted(self, actions: Sequence[Performed]) -> Sequence[Performed]:
        # One that was bound to fail is not tried again: then it is among those that it takes.
        if len(actions) <= self._needed:
            return actions
        interrupted = next((index for index, done in enumerate(actions) if done.outcome != "verified"), None)
        return [done for index, done in enumerate(actions) if index != interrupted]

    def told(self, subjects: Sequence[str]) -> Sequence[str]:
        # A yes is spent with its attempt, also where that came to nothing: to ask once more is right, a third time is not.
        # Why it is asked may be said otherwise by then.
        asked = [subject.removeprefix("Re: ").partition(" be done?")[0] for subject in subjects]
        again = next((index for index, each in enumerate(asked) if index and " may " in each and each == asked[0]), None)
        return [subject for index, subject in enumerate(subjects) if index != again]


class KilledAfterTheDeed(_Killed):
    """It is done, and nothing says so yet."""

    name = "killed_after_the_deed"
    right_answer = "repaired by the interrupted action; it is verified after the start, and nothing is done a second time"
    failpoint = "executor.after_effect"
