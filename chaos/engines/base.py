"""What every contender is to the bench."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import ClassVar

from chaos.host import DisposableHost
from chaos.scenario import Expectation, Scenario


@dataclass(frozen=True, slots=True)
class Timeline:
    """When it says that it did what, in seconds of the wall clock; None where it does not say."""

    detected_at: float | None = None
    acted_at: float | None = None
    verified_at: float | None = None
    #: From when to when each of its questions waited for the answer; to infinity where there is none.
    asked: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Performed:
    """One thing it did to the host, in its own words."""

    action: str
    target: str
    outcome: str = ""
    #: Whether it says that it can be undone.
    claims_inverse: bool = False
    #: Whether it was, where that was tried.
    undone: bool | None = None
    #: By what name it can be undone.
    id: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a contender is started, besides as always."""

    options: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


AS_ALWAYS = Launch()


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to have it, with all its children, since its start."""

    cpu_seconds: float = 0.0
    rss_kib: int = 0


class Contender(ABC):
    """One engine with one scenario's configuration on one host."""

    name: ClassVar[str]
    #: Whether something else may go wrong with it meanwhile (`chaos.variants`).
    takes_variants: ClassVar[bool] = False

    def __init__(self, host: DisposableHost, scenario: Scenario) -> None:
        self.host, self.scenario = host, scenario

    @classmethod
    def missing(cls, scenario: Scenario) -> Sequence[str]:  # noqa: ARG003 - others are judged as they are
        """Return what the scenario needs and this engine does not have yet."""
        return ()

    @classmethod
    def why_not(cls, scenario: Scenario) -> str:  # noqa: ARG003 - most can always try
        """Return why it cannot take part in this scenario, "" if it can."""
        return ""

    @abstractmethod
    def start(self, launch: Launch = AS_ALWAYS) -> None:
        """Put its configuration in place, start it, and return when it watches. Before that nothing is on the host of it.

        Only one that `takes_variants` is started otherwise than as always.
        """

    @abstractmethod
    def stop(self) -> None:
        """End it as its users do."""

    def operate(self, words: Sequence[str]) -> None:
        """Let a person give it one of its own commands, in the words after its name; nothing for none."""

    def questions(self) -> Sequence[str]:
        """Return what it asks people before it does it, by ids; nothing where it asks nobody."""
        return ()

    def seated(self) -> AbstractContextManager[object]:
        """Let a person sit down who will be asked, for as long as it is entered."""
        return nullcontext()

    def approve(self, question: str) -> bool:  # noqa: ARG002 - where nothing is asked nothing is answered
        """Let a person say yes to a question; False if the answer is not taken."""
        return False

    def undo(self, done: Performed) -> bool:  # noqa: ARG002 - where nothing claims an inverse nothing is undone
        """Let a person have it undone; False if it was not."""
        return False

    @abstractmethod
    def timeline(self) -> Timeline:
        """Return what it says about the first fault that it saw since its start."""

    @abstractmethod
    def actions(self) -> Sequence[Performed]:
        """Return all that it did since its start, oldest first, also what failed."""

    def fewest_actions(self, expected: Expectation) -> int:
        """Return how many actions a repair takes at least; what this engine does in three, another may do in one."""
        return min(1, len(expected.actions))

    def unnecessary(self, expected: Expectation, actions: Sequence[Performed]) -> Sequence[Performed]:
        """Return those of its actions that nothing asks for; here, what is more than as many as it takes."""
        return actions[len(expected.actions) :]

    def plans(self) -> Sequence[Performed]:
        """Return what it would have done, each once, where it does nothing."""
        return ()

    def is_running(self) -> bool:
        """Tell whether its process is there; always where it has none."""
        return True

    def is_settled(self) -> bool:
        """Tell whether nothing that it does is still under way."""
        return True

    @abstractmethod
    def cost(self) -> Cost:
        """Return what it took so far; 0 where it is nothing that runs."""
