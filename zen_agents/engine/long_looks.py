"""Looks that may take minutes: begun in one turn of their agent, and what they found is for a later one (ADR 0082).

Everything else of the agent is looked at and decided meanwhile. A check that is due while its look is under way is looked at
once more at the end of that: what it reads may have changed behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.sampler import Sampler
from zen_agents.model.observation import Observation

#: One that is over so soon is for the turn that began it (seconds).
AT_ONCE = 0.1


class LongLook:
    """One look."""

    def __init__(self, check: Check, began_at: Instant, task: asyncio.Task[list[Observation]]) -> None:
        self.check, self.began_at, self.task = check, began_at, task
        #: True once the check was due again.
        self.is_wanted_again = False


class LongLooks:
    """Those of one agent: one of each check at a time, and each is told of in the turn after its end."""

    def __init__(self, sampler: Sampler, ended: Callable[[], None]) -> None:
        self._sampler = sampler
        #: Called when one ends: a turn is worth taking.
        self._ended = ended
        #: Names of the checks that take long: none of most agents.
        self.names: frozenset[str] = frozenset()
        self._begun: dict[str, LongLook] = {}
        #: Check name -> when (steady) the last look began that was told of.
        self._told: dict[str, float] = {}

    def __iter__(self) -> Iterator[LongLook]:
        """Yield those that were not told of yet."""
        return iter(self._begun.values())

    def take_over(self, checks: Iterable[Check]) -> None:
        """Look by these checks from now on; what others have begun is ended, and nobody is told of it."""
        self.names = frozenset(check.name for check in checks if check.is_long)
        for look in self._begun.values():
            look.task.cancel()
        self._begun.clear()

    def split(self, due: Sequence[Check]) -> tuple[Sequence[Check], Sequence[Check]]:
        """Return which of these are looked at within a turn, and which beside it."""
        if not self.names:
            return due, ()
        return [check for check in due if not check.is_long], [check for check in due if check.is_long]

    async def ask(self, due: Sequence[Check], now: Instant) -> Sequence[LongLook]:
        """Begin what is due and not under way, and return what is over by now, whichever turn began it."""
        over = self._over()
        begun = [self._begin(check, now) for check in due if not self._is_wanted_again(check)]
        if begun:
            await asyncio.wait(begun, timeout=AT_ONCE)
            over += self._over()
        return over

    def told_began_at(self, name: str) -> float:
        """Return when (steady) the last look of a check began that was told of, before all times if there was none."""
        return self._told.get(name, float("-inf"))

    def is_under_way(self, name: str) -> bool:
        """Tell whether a check is looked at."""
        return name in self._begun

    def is_looked_at(self, names: Collection[str], since: float) -> bool:
        """Tell whether a look of one of these checks is under way that began since then."""
        return any(name in self._begun and self._begun[name].began_at.steady >= since for name in names)

    async def end_of(self, names: Collection[str]) -> bool:
        """Wait for the looks of these checks that are under way; False if there is none."""
        tasks = [self._begun[name].task for name in names if name in self._begun]
        if tasks:
            await asyncio.wait(tasks)
        return bool(tasks)

    async def close(self) -> None:
        """End those under way."""
        tasks = [look.task for look in self]
        self.take_over(())
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_wanted_again(self, check: Check) -> bool:
        """Note of a look that is under way that it is to be made once more; False if there is none."""
        look = self._begun.get(check.name)
        if look is not None:
            look.is_wanted_again = True
        return look is not None

    def _begin(self, check: Check, now: Instant) -> asyncio.Task[list[Observation]]:
        task = asyncio.create_task(self._sampler.sample([check], now), name=f"look-{check.name}")
        task.add_done_callback(lambda _: self._ended())
        self._begun[check.name] = LongLook(check, now, task)
        return task

    def _over(self) -> list[LongLook]:
        over = [look for look in self if look.task.done()]
        for look in over:
            del self._begun[look.check.name]
            self._told[look.check.name] = look.began_at.steady
        return over
