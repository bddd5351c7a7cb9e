"""Asks checks. One that hangs, crashes or returns garbage is UNKNOWN, and costs the others nothing (R2)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Container, Sequence

from zen_agents.checks.base import Check, Probe
from zen_agents.clock import Clock, Instant
from zen_agents.engine.aside import MOST_HUNG, DaemonThread, Thread
from zen_agents.engine.bell import Bell
from zen_agents.errors import HostError
from zen_agents.model.address import address_of
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import Host, HostView

log = logging.getLogger("zen_agents.sampler")

#: Network probes under way at the same time.
MOST_PROBES = 64
#: So many names are sooner gone through than put into a set.
_FEW_NAMES = 8


class _Batch:
    """Blocking checks that one thread asks one after the other."""

    def __init__(self, checks: Sequence[Check], view: HostView, now: Instant, loop: asyncio.AbstractEventLoop) -> None:
        self.checks, self.view, self.now, self._loop = checks, view, now, loop
        self.done = Bell()
        self.results: list[Observation] = []
        #: Index of the check being asked, and since when (the loop's time): one tuple, so that both are read at once.
        self.asking = (0, loop.time())
        #: Set when it was given up; what the thread still finds is thrown away.
        self.abandoned = False

    def run(self) -> None:
        seconds, view, now, tell = self._loop.time, self.view, self.now, self.results.extend
        for index, check in enumerate(self.checks):
            if self.abandoned:
                return
            self.asking = (index, seconds())
            found = _ask(check, view, now)
            if not self.abandoned:
                tell(found)
        self.asking = (len(self.checks), seconds())
        try:
            self._loop.call_soon_threadsafe(self.done.ring)
        except RuntimeError:
            return  # the loop has ended meanwhile: nobody waits any more


class Sampler:
    """Asks due checks: blocking ones in a thread, probes on the loop."""

    def __init__(self, host: Host, clock: Clock, thread: Callable[[], Thread] = DaemonThread) -> None:
        self._host, self._clock, self._thread = host, clock, thread
        self._idle: list[Thread] = []
        #: Hung checks by name, each with the thread it hangs in.
        self._hung: dict[str, Thread] = {}
        #: Names of checks that were given up.
        self._thrown_away: set[str] = set()
        self._probes = asyncio.Semaphore(MOST_PROBES)

    async def sample(self, checks: Sequence[Check], now: Instant, look: HostView | None = None) -> list[Observation]:
        """Return observations of all checks, UNKNOWN where one could not tell within its time-out; begins with this look."""
        probes = [check for check in checks if isinstance(check, Probe)]
        blocking = [check for check in checks if not isinstance(check, Probe)] if probes else checks
        observations = await self._blocking(blocking, now, look or self._host.look()) if blocking else []
        if probes:
            view = self._host.look()
            if len(probes) == 1:
                return [*observations, *await self._probe(probes[0], view, now)]
            for found in await asyncio.gather(*(self._probe(probe, view, now) for probe in probes)):
                observations.extend(found)
        return observations

    def is_hung(self, name: str) -> bool:
        """Tell whether the last look of a check has not come back."""
        thread = self._hung.get(name)
        return thread is not None and thread.is_alive()

    def threw_away(self, name: str) -> bool:
        """Tell once whether what a check found, or will yet find, was thrown away since this was last asked."""
        if name not in self._thrown_away:
            return False
        self._thrown_away.discard(name)
        return True

    def close(self) -> None:
        """Let idle threads end."""
        for thread in self._idle:
            thread.give(None)
        self._idle.clear()

    async def _blocking(self, checks: Sequence[Check], now: Instant, look: HostView) -> list[Observation]:
        self._hung = {name: thread for name, thread in self._hung.items() if thread.is_alive()}
        observations: list[Observation] = []
        waiting = [check for check in checks if check.name not in self._hung]
        for check in checks:
            if check.name in self._hung:
                observations.extend(check.unknown(now, "the last look has not come back yet"))
        while waiting:
            if len(self._hung) >= MOST_HUNG:
                for check in waiting:
                    observations.extend(check.unknown(now, f"{MOST_HUNG} other checks hang; the host is not asked"))
                break
            batch = _Batch(waiting, look, now, asyncio.get_running_loop())
            thread = self._idle.pop() if self._idle else self._thread()
            thread.give(batch)
            waiting = await self._finish(batch, thread, observations)
            # Only after a check that hangs: it keeps the look that it was given.
            look = self._host.look()
        return observations

    async def _finish(self, batch: _Batch, thread: Thread, observations: list[Observation]) -> list[Check]:
        """Wait for a batch; return the checks that remain because one before them hangs."""
        while not batch.done.is_rung:
            at, since = batch.asking
            # Where the last one has answered it only takes a moment to hear of it.
            allowed = batch.checks[at].timeout_seconds if at < len(batch.checks) else math.inf
            left = since + allowed - asyncio.get_running_loop().time()
            if left > 0:
                await batch.done.wait(left)
            elif batch.asking[0] == at:
                return self._abandon(batch, at, thread, observations)
        self._idle.append(thread)
        observations.extend(batch.results)
        return []

    def _abandon(self, batch: _Batch, at: int, thread: Thread, observations: list[Observation]) -> list[Check]:
        batch.abandoned = True
        hung = batch.checks[at]
        self._hung[hung.name] = thread
        self._thrown_away.add(hung.name)
        thread.give(None)  # the thread ends when the check comes back
        log.warning("check %s does not come back within %.1f s", hung.name, hung.timeout_seconds)
        observations.extend(batch.results)
        observations.extend(hung.unknown(batch.now, f"no answer within {hung.timeout_seconds:g} s"))
        return list(batch.checks[at + 1 :])

    async def _probe(self, probe: Probe, view: HostView, now: Instant) -> Sequence[Observation]:
        async with self._probes:
            try:
                async with asyncio.timeout(probe.timeout_seconds + 0.5):
                    return sound(probe, await probe.probe(view, now), now)
            except TimeoutError:
                return probe.unknown(now, f"no answer within {probe.timeout_seconds:g} s")
            except Exception as error:  # whatever a check raises means that it could not tell
                return probe.unknown(now, _why(error))


def _why(error: Exception) -> str:
    """Return why a check could not tell: its own sentence, or that it is the check that is wrong."""
    return str(error) if isinstance(error, HostError) else f"the check failed: {error}"


def _ask(check: Check, view: HostView, now: Instant) -> Sequence[Observation]:
    try:
        return sound(check, check.observe(view, now), now)
    except Exception as error:  # whatever a check raises means that it could not tell
        return check.unknown(now, _why(error))


def sound(check: Check, found: Sequence[Observation], now: Instant) -> Sequence[Observation]:
    """Return what a check found if it is well-formed; anything else, and any name left out, is UNKNOWN.

    About targets that others choose it may find as many as there are, and none; they are addresses and nothing else.
    """
    names, others = check.observes, check.about_others
    # Of hundreds, as of a log's patterns, each would be sought among all the others.
    known: Container[str] = names if len(names) <= _FEW_NAMES else frozenset(names)
    for observation in found:
        if (
            type(observation) is not Observation
            or (observation.name not in known and not _is_about_others(observation, others))
            or not isinstance(observation.status, Status)
            or (observation.value is not None and not math.isfinite(observation.value))
        ):
            return check.unknown(now, "the check returned garbage")
    if len(found) == len(names) == 1 and not others:
        return found  # as of thousands of checks: no set for one name
    told = {observation.name for observation in found}
    if len(told) == len(names) and not others:
        return found
    missing = [name for name in names if name not in told]
    return [*found, *(Observation(name, check.target, Status.UNKNOWN, now, None, "not told") for name in missing)]


def _is_about_others(observation: Observation, names: Sequence[str]) -> bool:
    return observation.name in names and address_of(observation.target) is not None
