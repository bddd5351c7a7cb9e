"""One scenario, one contender, one host that is made for it: the fault is real, and what came of it is seen from outside."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.agreeing import Agreeing
from chaos.engines.base import Contender
from chaos.engines.zen import Zen, built
from chaos.fingerprint import Change, difference, fingerprint
from chaos.host import DisposableHost
from chaos.judgement import Oracle, Seen, judged, rules_hold
from chaos.kinds import Privileges, Right
from chaos.mail import mails, news, start_mail
from chaos.method import Strikes, carry_out
from chaos.result import Outcome, Result, Seconds, named_result
from chaos.scenario import Scenario
from chaos.simulation.scenario import lived_with, sentences
from chaos.variants.base import Variant
from chaos.waiting import NotInTimeError, pause, wait_until
from chaos.watching import Look, Watcher, recoveries, seconds_within, shown_at, until_it_holds

_STEADY_WITHIN_SECONDS = 10.0
_SETTLED_WITHIN_SECONDS = 30.0
#: A look at the mails is a process on the host; how soon a page came is told by nobody's clock here.
_MAILS_EVERY_SECONDS = 0.25
_BACK_WITHIN_SECONDS = 5.0
#: Multiples of no other number leave smaller gaps when only their fractions count.
_GOLDEN = (5**0.5 - 1) / 2


class ExperimentError(Exception):
    """The bench itself is broken: what a scenario starts from does not hold. No word about the contender."""


def run(
    scenario: Scenario, kind: type[Contender], *, variant: type[Variant] = Variant,
    oracles: Sequence[Oracle] = (rules_hold,), seed: int = 0,
) -> Result:  # fmt: skip
    """Run one scenario with one contender on a host of its own and return what came of it.

    The seed decides at which moment of a second of calm the fault happens (`calm_seconds`): whoever looks in cycles is met
    at another moment of them each time.

    Raises ExperimentError, HostUnavailableError or NotInTimeError where there is nothing to judge.
    """
    named = named_result(scenario, kind, variant, seed)
    if scenario.privileges is Privileges.KERNEL:
        return _not_shown(named, scenario, kind)
    if absent := scenario.absent_programs():
        return replace(named, outcome=Outcome.NOT_SHOWN, because=(f"needs {', '.join(absent)}",))
    if reasons := scenario.cannot_be_shown():
        return replace(named, outcome=Outcome.NOT_SHOWN, because=reasons)
    if missing := [*kind.missing(scenario), *(need for need in variant.needs if need not in built())]:
        return replace(named, outcome=Outcome.WAITING, because=(f"needs {', '.join(missing)}",))
    if reason := kind.why_not(scenario) or _why_not_so(kind, variant):
        return replace(named, outcome=Outcome.CANNOT, because=(reason,))
    with DisposableHost(cpu_quotas=scenario.cpu_quotas) as host:
        steps = Experiment(host, scenario, kind(host, scenario), variant(), oracles)
        return steps.run(named, calm_seconds(scenario.name, seed))


def calm_seconds(name: str, seed: int) -> float:
    """Return how long all is calm before a fault, less than a second: for every contender the same.

    Seeds in a row spread evenly over the second, wherever in it a contender's cycle begins: so a few of them show what it
    does on average. Each scenario begins elsewhere.
    """
    begin = random.Random(name).random()  # noqa: S311 - to be repeated, not to be secret
    return (begin + seed * _GOLDEN) % 1.0


def _not_shown(named: Result, scenario: Scenario, kind: type[Contender]) -> Result:
    """Return that no real host shows it, and what our engine did on the simulated port if the fault exists there."""
    reason = "needs a kernel of its own"
    if not scenario.simulated or kind is not Zen:
        return replace(named, outcome=Outcome.NOT_SHOWN, because=(reason,))
    verdict = lived_with(scenario.simulated, named.seed)
    said = (reason, *sentences(scenario.simulated, verdict))
    return replace(named, outcome=Outcome.FAILED if verdict.violations else Outcome.NOT_SHOWN, because=said)


def _why_not_so(kind: type[Contender], variant: type[Variant]) -> str:
    if variant is not Variant and not kind.takes_variants:
        return f"what goes wrong with an engine itself is not shown with {kind.name}"
    lacking = [f"needs {package} (Debian)" for path, package in variant.takes.items() if not Path(path).exists()]
    return ", ".join(lacking)


@dataclass(frozen=True, slots=True)
class Moments:
    """What was seen from outside, on the monotonic clock; None for what was not."""

    shown_at: float | None
    #: From then on it was well, and it had been so for as long as it must.
    repaired_at: float | None = None
    held_at: float | None = None


class Experiment:
    """The steps of one run, in order."""

    def __init__(
        self, host: DisposableHost, scenario: Scenario, contender: Contender, variant: Variant,
        oracles: Sequence[Oracle],
    ) -> None:  # fmt: skip
        self._host, self._scenario, self._contender = host, scenario, contender
        self._variant, self._oracles = variant, oracles
        self._faults = scenario.faults()
        self._expected = variant.expectation(scenario.expect)
        self._within = self._expected.within.total_seconds()

    def run(self, named: Result, after_seconds: float) -> Result:
        """Prepare, break, watch, judge; the host is left as it is, the contender ended."""
        self._prepare()
        before = fingerprint(self._host, self._scenario.watch)
        pause(after_seconds)
        self._variant.before(self._host)
        with self._operator():
            with Watcher(self._look) as watcher:
                strikes = carry_out(self._scenario, self._faults, self._host, self._contender)
                amiss = self._variant.meanwhile(self._host, self._contender)
            moments = self._watch(strikes, watcher.changes())
            amiss = [*amiss, *self._settle()]
        amiss = [*amiss, *self._variant.shortfalls(self._host, self._contender)]
        seen = Seen(
            actions=tuple(self._variant.counted(self._contender.actions())),
            pages=tuple(self._variant.told([mail.subject for mail in news(mails(self._host))])),
            repaired=moments.held_at is not None,
            is_gone=self._is_gone(),
            harm=(
                *(f"changed without need: {change}" for change in self._changes(before)),
                *(sentence for fault in self._faults for sentence in fault.harm(self._host)),
            ),
        )
        seconds = self._seconds(strikes.first, moments)
        cost = self._contender.cost()
        amiss += self._rolled_back(seen.repaired)
        seen, still = self._undone(seen)
        amiss += still
        self._contender.stop()
        broken = tuple(sentence for oracle in self._oracles for sentence in oracle(self._host, self._contender))
        seen = replace(seen, harm=(*seen.harm, *broken))
        return judged(replace(named, seconds=seconds, cost=cost), self._expected, seen, self._contender, amiss)

    # -- before -------------------------------------------------------------------------------------------------------
    def _prepare(self) -> None:
        # On a host that people use the bus is there; here it would be started by whoever asks first, and look like a change.
        self._host.run(["systemctl", "start", "dbus.socket", "dbus.service"])
        start_mail(self._host)
        for fault in self._faults:
            fault.prepare(self._host)
        launch = self._variant.prepare(self._host)
        self._contender.start(launch)
        try:
            wait_until(lambda: not self._unsteady(), "the steady state", seconds=_STEADY_WITHIN_SECONDS)
        except NotInTimeError:
            raise ExperimentError(f"{self._scenario.name}: not in its steady state: {self._unsteady()}") from None
        with suppress(NotInTimeError):
            wait_until(
                lambda: all(fault.may_happen(self._host) for fault in self._faults), "what an engine does meanwhile",
                seconds=_STEADY_WITHIN_SECONDS,
            )  # fmt: skip

    def _unsteady(self) -> list[str]:
        return [str(probe) for probe in self._scenario.steady_state if not probe.holds(self._host)]

    def _operator(self) -> AbstractContextManager[object]:
        if self._scenario.asks_people and not self._variant.answers_itself:
            return Agreeing(self._contender, self._host)
        return nullcontext()

    # -- meanwhile ----------------------------------------------------------------------------------------------------
    def _watch(self, strikes: Strikes, changes: Sequence[Look]) -> Moments:
        """Return when what was seen; of the repair nothing if there was nothing to repair."""
        give_up = strikes.last + self._within
        looks = [*changes]
        moments = Moments(shown_at(looks, after=strikes.first))
        if self._expected.outcome is Right.REPAIRED:
            recovered = recoveries(changes, after=strikes.first)
            # A repair that was over before the last strike is none of it.
            since = next((moment for moment in reversed(recovered) if moment > strikes.last), None)
            held = until_it_holds(self._kept_in(looks), self._holds, since=since, give_up=give_up)
            if held is not None:
                # Of a fault that strikes again and again the first repair counts, if it held until it struck again.
                first = [moment for moment in recovered if moment < strikes.second][-1:] or [held[0]]
                moments = Moments(shown_at(looks, after=strikes.first), first[0], held[1])
        elif self._expected.outcome is Right.UNTOUCHED:
            pause(max(0.0, give_up - time.monotonic()))
        while len(news(mails(self._host))) < self._expected.pages and time.monotonic() < give_up:
            pause(_MAILS_EVERY_SECONDS)
        if self._expected.outcome is Right.TOLD:
            pause(self._scenario.bake.checks * self._scenario.bake.every.total_seconds())
        return moments

    def _kept_in(self, looks: list[Look]) -> Callable[[], Look]:
        def look() -> Look:
            looks.append(self._look())
            return looks[-1]

        return look

    def _holds(self) -> bool:
        bake = self._scenario.bake
        for _ in range(bake.checks):
            pause(bake.every.total_seconds())
            if not self._is_well():
                return False
        return True

    def _is_well(self) -> bool:
        return self._look().well

    def _look(self, *, was_well: bool = False) -> Look:
        """Look whether all is well; its moment is that of the quick probes, what takes longer has to confirm it.

        Not where it was well just before: these would be most of the load under which the contenders are measured.
        """
        begun_at = time.monotonic()
        quick = [probe for probe in self._scenario.verify if probe.is_quick]
        slow = [probe for probe in self._scenario.verify if not probe.is_quick]
        well = self._is_gone() and all(probe.holds(self._host) for probe in quick)
        at = time.monotonic()
        return Look(at, well and (was_well or all(probe.holds(self._host) for probe in slow)), begun_at)

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
    def _seconds(self, began: float, seen: Moments) -> Seconds:
        said, ahead = self._contender.timeline(), self._variant.clock_ahead_seconds + time.time() - time.monotonic()
        detected, acted, verified = (
            None if at is None else at - ahead - began for at in (said.detected_at, said.acted_at, said.verified_at)
        )
        shown, repaired, held = (
            None if at is None else at - began for at in (seen.shown_at, seen.repaired_at, seen.held_at)
        )
        asked = [(asked_at - ahead - began, answered_at - ahead - began) for asked_at, answered_at in said.asked]
        waited = 0.0 if repaired is None else seconds_within(asked, shown or 0.0, repaired)
        return Seconds(detected, acted, verified, repaired, shown, waited, held)

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

    def _stays_gone(self) -> bool:
        """Tell whether the fault stays away; whoever is told that all is as before may take a moment to hear it."""
        try:
            wait_until(lambda: not self._is_gone(), "the fault", seconds=_BACK_WITHIN_SECONDS)
        except NotInTimeError:
            return True
        return False

    def _undone(self, seen: Seen) -> tuple[Seen, list[str]]:
        """Have undone what claims an inverse, newest first; what could not be is wrong, as is a fault that stays away."""
        if not seen.repaired or self._variant.name or not any(done.claims_inverse for done in seen.actions):
            return seen, []
        actions = [
            replace(done, undone=self._contender.undo(done)) if done.claims_inverse and done.outcome == "verified" else done
            for done in reversed(seen.actions)
        ]
        amiss = [f"could not be undone: {done.action} {done.target}" for done in actions if done.undone is False]
        lasts = not any(fault.ends_by_itself for fault in self._faults)
        if lasts and not amiss and all(done.undone for done in actions) and self._stays_gone():
            amiss = ["everything that was done was undone, and the fault is not there again"]
        return replace(seen, actions=tuple(reversed(actions))), amiss
