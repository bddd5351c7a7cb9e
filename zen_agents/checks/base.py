"""What a check is: a read-only question asked of a host every so often."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView


class Check(ABC):
    """A question about one target, asked in the sampler's thread.

    A subclass states `kind` and `summary`, keeps no state but what it needs to compare two looks (CPU times, slopes) and
    what it gives as its `memory`, and raises nothing on purpose: whatever escapes is turned into UNKNOWN for the names in
    `observes`, and so is a time-out.
    """

    __slots__ = ("every_seconds", "name", "target", "timeout_seconds")

    #: The word for this kind of check in the reference: `process`, `disk`.
    kind: ClassVar[str]
    #: One sentence: what it asks.
    summary: ClassVar[str]
    #: Whether it may take minutes, so that its agent goes on to look at and decide about everything else meanwhile.
    is_long: ClassVar[bool] = False

    def __init__(self, *, name: str, target: str, every_seconds: float, timeout_seconds: float = 5.0) -> None:
        # Of thousands of checks, rules and remedies each has these words; they are kept once.
        self.name, self.target = sys.intern(name), sys.intern(target)
        self.every_seconds = every_seconds
        self.timeout_seconds = timeout_seconds

    @property
    @abstractmethod
    def observes(self) -> tuple[str, ...]:
        """Return the names of the observations it makes, all about `target`."""

    @property
    def about_others(self) -> tuple[str, ...]:
        """Return the names of the observations that it makes about targets which others choose, addresses, as they come."""
        return ()

    @abstractmethod
    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask, and return one observation for each name that could be told."""

    def watches(self) -> Sequence[Watch]:
        """Return what should wake this check early, as known after the last look."""
        return ()

    def glanced_seconds(self) -> float:
        """Return the CPU seconds that the glances of what it watches took since this was last asked."""
        return 0.0

    @property
    def rest_seconds(self) -> float:
        """Return for how long after the last look only what it watches can make it find anything else; 0 if that is not so.

        Where the kernel tells of each change of all of that, it is asked no sooner.
        """
        return 0.0

    def memory(self) -> Mapping[str, Any] | None:
        """Return what it must not forget over a restart, as plain JSON of a bounded size; None for a check with nothing.

        Asked for after each look that came back in time, and written in one transaction with the incidents that came of the
        look: either both are durable or neither is. A check that raises must leave this as it was before the look.
        """
        return None

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from what `memory` returned: before the first look, and after one whose findings were thrown away.

        What it is given was in a file: it is checked, not trusted, and whatever is wrong with it, nothing is raised.
        """

    def how_far(self) -> tuple[str, float | None]:
        """Return what a look that `is_long` is at, in words, and how much of it is done (0 to 1); "" and None if untold."""
        return "", None

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Return the (host, port) that it asks over the network: who listens there may be why it fails."""
        return ()

    def unknown(self, now: Instant, why: str) -> tuple[Observation, ...]:
        """Return UNKNOWN for everything this check observes."""
        return tuple(Observation(name, self.target, Status.UNKNOWN, now, None, why) for name in self.observes)


class Probe(Check):
    """A question that waits for the network: a coroutine on the loop instead of a call in the sampler's thread."""

    __slots__ = ()

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Never called; a probe is awaited."""
        del host, now
        raise TypeError(f"{self.name} is a probe: await probe() instead")

    @abstractmethod
    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask over the network, within `timeout_seconds`."""
