"""What every variant is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from chaos.engines.base import AS_ALWAYS, Contender, Launch, Performed
from chaos.host import DisposableHost
from chaos.kinds import VariantKind
from chaos.scenario import Expectation


class Variant:
    """The same scenario while something else goes wrong. Without changes to it: nothing else does."""

    #: Of its row in the card.
    name: ClassVar[str] = ""
    #: Of `variants:` in a scenario; one kind may be run in several ways.
    kind: ClassVar[VariantKind]
    #: What is right then, as people read it.
    right_answer: ClassVar[str] = ""
    #: What it takes that is not built yet, as a scenario's `needs`.
    needs: ClassVar[tuple[str, ...]] = ()
    #: A file that has to be there on the host, and the Debian package that brings it.
    takes: ClassVar[Mapping[str, str]] = {}
    #: How far the contender's own wall clock is ahead when it sees the fault, in seconds.
    clock_ahead_seconds: ClassVar[float] = 0.0

    #: Its own person says yes or no to what the contender asks, not the operator of the run.
    answers_itself: ClassVar[bool] = False

    def expectation(self, expected: Expectation) -> Expectation:
        """Return what is right, given what is right when nothing else goes wrong."""
        return expected

    def prepare(self, host: DisposableHost) -> Launch:
        """Prepare it before the contender is started, and return how that is to be started."""
        return AS_ALWAYS

    def before(self, host: DisposableHost) -> None:
        """Let it go wrong, right before the fault."""

    def meanwhile(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        """Go on with it, right after the fault; return what did not come about, one sentence each."""
        return ()

    def counted(self, actions: Sequence[Performed]) -> Sequence[Performed]:
        """Return those of the actions that are judged."""
        return actions

    def told(self, subjects: Sequence[str]) -> Sequence[str]:
        """Return those of the messages that are judged."""
        return subjects

    def shortfalls(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        """Return what is wrong in the end, besides what every run is judged by."""
        return ()
