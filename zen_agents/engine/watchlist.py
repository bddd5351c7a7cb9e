"""What one agent looks at, and when each thing is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from math import floor

from zen_agents.checks.base import Check
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.rules.condition import is_surely_good
from zen_agents.rules.rule import Rule

# Looking up a member of an enumeration costs as much as a call, and this one is asked for with each observation.
_OK = Status.OK
#: A beat that comes within so much of a rhythm is too close to compare two looks at a counter; between two beats is not.
_CLOSE = 0.2
#: Whoever is asked at a beat may be so early (seconds): sums of times are rounded.
_ROUNDED = 1e-6


class Watchlist:
    """The checks of one agent with their due times, and which rules read what they observe."""

    def __init__(self, checks: Sequence[Check], rules: Sequence[Rule], now: float) -> None:
        self.checks: Mapping[str, Check] = {check.name: check for check in checks}
        self._rules = {rule.key: rule for rule in rules}
        #: How many targets its rules are about.
        self.targets = len({rule.target for rule in rules})
        #: Check name -> steady time at which it is due. The first look is at once, and the rhythm of all counts from it.
        self._due = dict.fromkeys(self.checks, now)
        self._first = now
        self._readers: dict[tuple[str, str], tuple[Rule, ...]] = {}
        for rule in rules:
            for pair in _pairs(rule):
                self._readers[pair] = (*self._readers.get(pair, ()), rule)
        makers = {(name, check.target): check.name for check in checks for name in check.observes}
        #: Pair that a rule reads -> name of the check that observes it. The tuples are those of the readers.
        self._makers = {pair: makers[pair] for pair in self._readers if pair in makers}
        #: Check name -> moments to come at which it is asked beside its rhythm, whatever asks it before.
        self._appointed: dict[str, frozenset[float]] = {}
        #: Kind of watch -> what is watched -> names of the checks that it wakes; mostly one.
        self._subjects: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
        self._watched: dict[str, tuple[Watch, ...]] = {}
        #: Names of the checks that are asked for a glance by what they watch: none of most agents.
        self._glancing: set[str] = set()

    def add(self, rule: Rule, observed: str) -> None:
        """Take in a rule about a target that has only been seen; a check makes the observation `observed` of it."""
        self._rules[rule.key] = rule
        maker = next((check.name for check in self.checks.values() if observed in check.about_others), None)
        for pair in _pairs(rule):
            self._readers[pair] = (rule,)
            if maker is not None:
                self._makers[pair] = maker

    def drop(self, key: str) -> None:
        """Let go of a rule that was taken in."""
        for pair in _pairs(self._rules.pop(key)):
            del self._readers[pair]
            self._makers.pop(pair, None)

    @property
    def pairs(self) -> Iterable[tuple[str, str]]:
        """All (observation name, target) that rules read."""
        return self._readers.keys()

    def feeders(self, key: str) -> set[str]:
        """Return the names of the checks that observe what a rule reads."""
        rule = self.rules.get(key)
        return {self._makers[pair] for pair in _pairs(rule) if pair in self._makers} if rule is not None else set()

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules by their keys."""
        return self._rules

    @property
    def next_due(self) -> float:
        """Return when the next check is due; infinity without checks."""
        return min(self._due.values(), default=float("inf"))

    def take_due(self, now: float, *, everything: bool = False) -> list[Check]:
        """Return the checks to ask now, and set each one's next time; one that was missed is asked once (coalesced)."""
        taken = [name for name, at in self._due.items() if everything or at <= now]
        checks = [self.checks[name] for name in taken]
        # Of thousands of checks most have the same rhythm.
        following = {every: self._next(every, now) for every in {check.every_seconds for check in checks}}
        self._due.update((check.name, following[check.every_seconds]) for check in checks)
        for name in self._appointed.keys() & taken:
            self._keep(name, frozenset(at for at in self._appointed.pop(name) if at > now))
        return checks

    def _keep(self, name: str, appointed: frozenset[float]) -> None:
        if appointed:
            self._appointed[name] = appointed
            self._due[name] = min(self._due[name], *appointed)

    def _next(self, every: float, now: float) -> float:
        """Return when a check is due that is asked now: at the next beat of its rhythm, whatever woke it this time.

        So windows are evenly filled, nothing is caught up, and what has the same rhythm goes on to be asked in one turn.
        """
        beat = self._first + (floor((now - self._first) / every) + 1) * every
        if beat - now < _ROUNDED:
            return beat + every
        return beat if beat - now >= _CLOSE * every else beat + every / 2

    def let_rest(
        self, asked: Iterable[Check], looked: float, *, is_told: Callable[[Watch], bool], book: Container[str]
    ) -> None:
        """Have those looked at later of which only an event can make news, if each would be told.

        Left as they are: what somebody wants to be looked at soon, and what a rule with an incident in `book` reads, or one
        that also reads others.
        """
        for check in asked:
            seconds = check.rest_seconds
            if seconds <= check.every_seconds or self._due[check.name] != self._next(check.every_seconds, looked):
                continue
            watches = check.watches()
            if (
                watches
                and all(map(is_told, watches))
                and self._is_read_only_by(partial(self._rests_on, check, book), check.name)
            ):
                self._due[check.name] = self._next(seconds, looked)

    def _rests_on(self, check: Check, book: Container[str], rule: Rule) -> bool:
        return rule.key not in book and self.feeders(rule.key) == {check.name}

    def readers(self, name: str, target: str) -> Sequence[Rule]:
        """Return the rules that read this observation."""
        return self._readers.get((name, target), ())

    def says_nothing(self, observation: Observation, book: Container[str]) -> bool:
        """Tell whether all that read an observation find it good and have no incident in `book`: nothing is to be folded."""
        if observation.status is not _OK:
            return False
        # Asked of thousands of observations at each look, and mostly one rule reads each: no generator.
        for rule in self._readers.get((observation.name, observation.target), ()):
            if rule.key in book or not is_surely_good(rule.condition, observation):
                return False
        return True

    def hurry(self, key: str, at: float) -> None:
        """Have everything that a rule reads looked at by then at the latest."""
        for name in self.feeders(key):
            self._due[name] = min(self._due[name], at)

    def appoint(self, key: str, at: float) -> None:
        """Have everything that a rule reads looked at then, also where it is looked at before."""
        for name in self.feeders(key):
            self._keep(name, self._appointed.get(name, frozenset()) | {at})

    def is_due(self, name: str, now: float) -> bool:
        """Tell whether a check is to be asked in the next turn."""
        return self._due[name] <= now

    def ask_by(self, name: str, at: float) -> None:
        """Have a check asked by then at the latest."""
        self._due[name] = min(self._due[name], at)

    def put_off(self, key: str, until: float, *, where: Callable[[Rule], bool]) -> None:
        """Have what a rule reads not looked at before then, as far as only rules read it that `where` is true of."""
        for name in self.feeders(key):
            if self._is_read_only_by(where, name):
                self._due[name] = max(self._due[name], until)

    def has_asked_all(self, key: str, asked: Container[str]) -> bool:
        """Tell whether everything that a rule reads is among these checks."""
        return all(name in asked for name in self.feeders(key))

    def wake(self, subject: str, now: float, *, but: Callable[[Rule], bool] = lambda _: False) -> bool:
        """Have what is watched under this subject looked at now; "" means everything. True if anything is.

        Left out is what only rules read that `but` is true of.
        """
        kind, _, name = subject.partition(":")
        names: Iterable[str] = self._subjects[kind].get(name, ()) if subject else self.checks
        woken = [name for name in names if not subject or not self._is_read_only_by(but, name)]
        for name in woken:
            self._due[name] = now
        return bool(woken)

    def targets_of(self, subjects: Iterable[str]) -> frozenset[str]:
        """Return the targets of what is watched under these subjects; a `service:` subject is itself one."""
        found = set[str]()
        for subject in subjects:
            kind, _, name = subject.partition(":")
            found.add(subject)
            found.update(self.checks[check].target for check in self._subjects.get(kind, {}).get(name, ()))
        return frozenset(found)

    def _is_read_only_by(self, kind: Callable[[Rule], bool], name: str) -> bool:
        """Tell whether rules read what this check observes, and all of them are of this kind."""
        check = self.checks[name]
        readers = [rule for observed in check.observes for rule in self.readers(observed, check.target)]
        return bool(readers) and all(map(kind, readers))

    def watches(self, asked: Iterable[Check]) -> bool:
        """Ask these checks what should wake them; True if that changed."""
        changed = False
        for check in asked:
            watches, before = check.watches(), self._watched.get(check.name, ())
            # Most checks want the same for ever, and hand out the same tuple.
            if watches is not before and tuple(watches) != before:
                for watch in before:
                    self._forget(watch, check.name)
                for watch in watches:
                    subjects, subject = self._subjects[watch.kind], _subject(watch)
                    subjects[subject] = (*subjects.get(subject, ()), check.name)
                self._watched[check.name] = tuple(watches)
                if any(watch.glance is not None for watch in watches):
                    self._glancing.add(check.name)
                changed = True
        return changed

    def glanced_seconds(self, asked: Container[str]) -> float:
        """Return the CPU seconds that glances of these checks took since they were last asked."""
        return sum(self.checks[name].glanced_seconds() for name in self._glancing if name in asked)

    def _forget(self, watch: Watch, name: str) -> None:
        subjects, subject = self._subjects[watch.kind], _subject(watch)
        left = tuple(each for each in subjects.pop(subject, ()) if each != name)
        if left:
            subjects[subject] = left

    def all_watches(self) -> list[Watch]:
        """Return everything that should wake this agent."""
        return [watch for watches in self._watched.values() for watch in watches]


def subject_of(watch: Watch) -> str:
    """Return the subject under which a `Wake` reports this watch."""
    return f"{watch.kind}:{_subject(watch)}"


def _subject(watch: Watch) -> str:
    return f"{watch.pid}:{watch.start_time}" if watch.kind == "process" else watch.name


def _pairs(rule: Rule) -> frozenset[tuple[str, str]]:
    return rule.condition.names | rule.clear.names if rule.clear else rule.condition.names
