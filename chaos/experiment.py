"""One scenario, one contender, one host that is made for it: the fault is real, and what came of it is seen from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from chaos.engines.base import Contender, Timeline
from chaos.fingerprint import Change, difference, fingerprint
from chaos.host import DisposableHost
from chaos.mail import mails, start_mail
from chaos.method import Strikes, carry_out
from chaos.result import Outcome, Result, Seconds
from chaos.scenario import Privileges, Right, Scenario
from chaos.waiting import NotInTimeError, pause, wait_until
from chaos.watching import Look, Watcher, recoveries, until_it_holds

#: What must hold after every run: reads the host and the contender, returns what is broken, one sentence each.
Oracle = Callable[[DisposableHost, Contender], Sequence[str]]

_STEADY_WITHIN_SECONDS = 10.0
_SETTLED_WITHIN_SECONDS = 30.0


class ExperimentError(Exception):
    """The bench itself is broken: what a scenario starts from does not hold. No word about the contender."""


def run(
    scenario: Scenario, kind: type[Contender], *, oracles: Sequence[Oracle] = (), after_seconds: float = 0.0
) -> Result:  # fmt: skip
    """Run one scenario with one contender on a host of its own and return what came of it.

    The fault happens after so many seconds of calm: whoever looks in cycles is met at another moment of them each time.

    Raises ExperimentError, HostUnavailableError or NotInTimeError where there is nothing to judge.
    """
    if scenario.privileges is Privileges.KERNEL:
        return _not_run(scenario, kind, Outcome.NOT_SHOWN, "needs a kernel of its own")
    if absent := scenario.absent_programs():
        return _not_run(scenario, kind, Outcome.NOT_SHOWN, f"needs {', '.join(absent)}")
    if missing := kind.missing(scenario):
        return _not_run(scenario, kind, Outcome.WAITING, f"needs {', '.join(missing)}")
    if reason := kind.why_not(scenario):
        return _not_run(scenario, kind, Outcome.CANNOT, reason)
    with DisposableHost() as host:
        return Experiment(host, scenario, kind(host, scenario), oracles).run(after_seconds)


class Experiment:
    """The steps of one run, in order."""

    def __init__(
        self, host: DisposableHost, scenario: Scenario, contender: Contender, oracles: Sequence[Oracle] = ()
    ) -> None:
        self._host, self._scenario, self._contender, self._oracles = host, scenario, contender, oracles
        self._faults = scenario.faults()
        self._expected = scenario.expect
        self._within = scenario.expect.within.total_seconds()

    def run(self, after_seconds: float = 0.0) -> Result:
        """Prepare, break, watch, judge; the host is left as it is."""
        self._prepare()
        before = fingerprint(self._host, self._scenario.watch)
        pause(after_seconds)
        with Watcher(self._look) as watcher:
            strikes = carry_out(self._scenario, self._faults, self._host, self._contender)
        wall_clock_ahead = time.time() - time.monotonic()
        repaired_at, held_at = self._watch(strikes, recoveries(watcher.changes(), after=strikes.first))
        unsettled = self._settle()
        changes = self._changes(before)
        harm = [
            *(f"changed without need: {change}" for change in changes),
            *(sentence for fault in self._faults for sentence in fault.harm(self._host)),
            *(sentence for oracle in self._oracles for sentence in oracle(self._host, self._contender)),
        ]
        seconds = _seconds(
            self._contender.timeline(), strikes.first, wall_clock_ahead, repaired_at=repaired_at, held_at=held_at
        )
        return self._judged(seconds, harm, unsettled)

    # -- before -------------------------------------------------------------------------------------------------------
    def _prepare(self) -> None:
        start_mail(self._host)
        for fault in self._faults:
            fault.prepare(self._host)
        self._contender.start()
        try:
            wait_until(lambda: not self._unsteady(), "the steady state", seconds=_STEADY_WITHIN_SECONDS)
        except NotInTimeError:
            raise ExperimentError(f"{self._scenario.name}: not in its steady state: {self._unsteady()}") from None

    def _unsteady(self) -> list[str]:
        return [str(probe) for probe in self._scenario.steady_state if not probe.holds(self._host)]

    # -- meanwhile ----------------------------------------------------------------------------------------------------
    def _watch(self, strikes: Strikes, recovered: Sequence[float]) -> tuple[float | None, float | None]:
        """Return since when it is well and when it had been so long enough; both None if there was nothing to repair."""
        give_up = strikes.last + self._within
        moments: tuple[float | None, float | None] = (None, None)
        if self._expected.outcome is Right.REPAIRED:
            # A repair that was over before the last strike is none of it.
            since = next((moment for moment in reversed(recovered) if moment > strikes.last), None)
            held = until_it_holds(self._look, self._holds, since=since, give_up=give_up)
            moments = (None, None) if held is None else ((recovered[0] if recovered else held[0]), held[1])
        elif self._expected.outcome is Right.UNTOUCHED:
            pause(max(0.0, give_up - time.monotonic()))
        while len(mails(self._host)) < self._expected.pages and time.monotonic() < give_up:
            pause(0.02)
        if self._expected.outcome is Right.TOLD:
            pause(self._scenario.bake.checks * self._scenario.bake.every.total_seconds())
        return moments

    def _holds(self) -> bool:
        bake = self._scenario.bake
        for _ in range(bake.checks):
            pause(bake.every.total_seconds())
            if not self._is_well():
                return False
        return True

    def _is_well(self) -> bool:
        return self._look().well

    def _look(self) -> Look:
        """Look whether all is well; its moment is that of the quick probes, what takes longer has to confirm it."""
        quick = [probe for probe in self._scenario.verify if probe.is_quick]
        slow = [probe for probe in self._scenario.verify if not probe.is_quick]
        well = self._is_gone() and all(probe.holds(self._host) for probe in quick)
        at = time.monotonic()
        return Look(at, well and all(probe.holds(self._host) for probe in slow))

    def _is_gone(self) -> bool:
        return bool(self._faults) and all(fault.is_gone(self._host) for fault in self._faults)

    def _settle(self) -> list[str]:
        """Let the contender come to its own end of it: a repair that it still judges is not over for it."""
        try:
            wait_until(self._contender.is_settled, "the end", seconds=_SETTLED_WITHIN_SECONDS, every=0.1)
        except NotInTimeError:
            return [f"something is still under way {_SETTLED_WITHIN_SECONDS:g} s later"]
        return []

    def _changes(self, before: Mapping[str, str]) -> Sequence[Change]:
        traces = [] if self._is_gone() else [pattern for fault in self._faults for pattern in fault.traces()]
        after = fingerprint(self._host, self._scenario.watch)
        return difference(before, after, allowed=[*self._scenario.allowed_changes, *traces])

    # -- after --------------------------------------------------------------------------------------------------------
    def _judged(self, seconds: Seconds, harm: list[str], unsettled: list[str]) -> Result:
        pages = tuple(mail.subject for mail in mails(self._host))
        actions = tuple(self._contender.actions())
        unnecessary = tuple(self._contender.unnecessary(actions))
        repaired = seconds.held is not None
        if not self._expected.actions and self._is_gone():
            harm = [*harm, "what was to be left alone was undone"]
        because = [
            *unsettled,
            *self._shortfalls(repaired, len(actions) - len(unnecessary), len(pages)),
            *(f"unnecessary: {done.action} {done.target}" for done in unnecessary),
            *harm,
        ]
        cost = self._contender.cost()
        because += self._rolled_back(repaired)
        self._contender.stop()
        return Result(
            self._scenario.name, self._scenario.number, self._scenario.kind, self._contender.name,
            Outcome.FAILED if because else Outcome.PASSED, tuple(because), repaired, seconds,
            actions, unnecessary, tuple(harm), pages, self._expected.pages, cost,
        )  # fmt: skip

    def _shortfalls(self, repaired: bool, needed_actions: int, pages: int) -> list[str]:
        found = []
        if self._expected.outcome is Right.REPAIRED and not repaired:
            found.append(f"not repaired within {self._within:g} s")
        elif self._expected.outcome is Right.REPAIRED and needed_actions < (fewest := self._contender.fewest_actions()):
            found.append(f"repaired by {needed_actions} of the {fewest} actions that it takes")
        if pages != self._expected.pages:
            found.append(f"people were told {pages} times, to be told {self._expected.pages} times")
        return found

    def _rolled_back(self, repaired: bool) -> list[str]:
        """Do what a person would do now, if there is something left; then all must be as it was."""
        if not repaired:
            for argv in self._scenario.rollbacks:
                self._host.run(argv, check=True)
        if not repaired and not self._scenario.rollbacks:
            return []
        try:
            wait_until(lambda: not self._unsteady(), "the steady state", seconds=_STEADY_WITHIN_SECONDS)
        except NotInTimeError:
            return [f"not in its steady state afterwards: {probe}" for probe in self._unsteady()]
        return []


def _seconds(
    said: Timeline, began: float, wall_clock_ahead: float, *, repaired_at: float | None, held_at: float | None
) -> Seconds:  # fmt: skip
    detected, acted, verified = (
        None if at is None else at - wall_clock_ahead - began for at in (said.detected_at, said.acted_at, said.verified_at)
    )
    repaired, held = (None if at is None else at - began for at in (repaired_at, held_at))
    return Seconds(detected, acted, verified, repaired, held)


def _not_run(scenario: Scenario, kind: type[Contender], outcome: Outcome, reason: str) -> Result:
    return Result(
        scenario.name, scenario.number, scenario.kind, kind.name, outcome, (reason,), pages_needed=scenario.expect.pages
    )
