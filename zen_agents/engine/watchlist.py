"""What one agent looks at, and when each thing is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence

from zen_agents.checks.base import Check
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule


class Watchlist:
    """The checks of one agent with their due times, and which rules read what they observe."""

    def __init__(self, checks: Sequence[Check], rules: Sequence[Rule], now: float) -> None:
        self.checks: Mapping[str, Check] = {check.name: check for check in checks}
        self.rules: Mapping[str, Rule] = {rule.key: rule for rule in rules}
        #: Check name -> steady time at which it is due. The first look is at once.
        self._due = dict.fromkeys(self.checks, now)
        self._readers: dict[tuple[str, str], list[Rule]] = defaultdict(list)
        for rule in rules:
            for pair in rule.condition.names | (rule.clear.names if rule.clear else frozenset()):
                self._readers[pair].append(rule)
        # Pairs that one rule alone reads, and only passes on.
        self._passed_on = {
            pair: rules[0].key
            for pair, rules in self._readers.items()
            if len(rules) == 1 and rules[0].clear is None and isinstance(rules[0].condition, StatusIs)
        }
        self._feeders = self._index_feeders(checks)
        #: Subject -> names of the checks that it wakes; mostly one.
        self._subjects: dict[str, tuple[str, ...]] = {}
        self._watched: dict[str, tuple[Watch, ...]] = {}

    def _index_feeders(self, checks: Sequence[Check]) -> dict[str, tuple[str, ...]]:
        makers: dict[tuple[str, str], str] = {
            (name, check.target): check.name for check in checks for name in check.observes
        }
        feeders: dict[str, tuple[str, ...]] = {}
        for pair, rules in self._readers.items():
            for rule in rules:
                if pair in makers:
                    feeders[rule.key] = tuple({*feeders.get(rule.key, ()), makers[pair]})
        return feeders

    @property
    def next_due(self) -> float:
        """Return when the next check is due; infinity without checks."""
        return min(self._due.values(), default=float("inf"))

    def take_due(self, now: float, *, everything: bool = False) -> list[Check]:
        """Return the checks to ask now, and set each one's next time; one that was missed is asked once (coalesced)."""
        taken = [name for name, at in self._due.items() if everything or at <= now]
        for name in taken:
            every, at = self.checks[name].every_seconds, self._due[name]
            # Keep the rhythm, so that windows are evenly filled, but never try to catch up.
            self._due[name] = at + every if now < at + every and at <= now else now + every
        return [self.checks[name] for name in taken]

    def readers(self, name: str, target: str) -> Sequence[Rule]:
        """Return the rules that read this observation."""
        return self._readers.get((name, target), ())

    def says_nothing(self, observation: Observation, book: Container[str]) -> bool:
        """Tell whether an OK is only passed on to a rule without an incident in `book`; then nothing has to be folded."""
        if observation.status is not Status.OK:
            return False
        key = self._passed_on.get((observation.name, observation.target))
        return key is not None and key not in book

    def hurry(self, key: str, at: float) -> None:
        """Have everything that a rule reads looked at by then at the latest."""
        for name in self._feeders.get(key, ()):
            self._due[name] = min(self._due[name], at)

    def has_asked_all(self, key: str, asked: Container[str]) -> bool:
        """Tell whether everything that a rule reads is among these checks."""
        return all(name in asked for name in self._feeders.get(key, ()))

    def wake(self, subject: str, now: float) -> bool:
        """Have what is watched under this subject looked at now; "" means everything. True if anything is."""
        names: Iterable[str] = self._subjects.get(subject, ()) if subject else self.checks
        for name in names:
            self._due[name] = now
        return bool(names)

    def watches(self, asked: Iterable[Check]) -> bool:
        """Ask these checks what should wake them; True if that changed."""
        changed = False
        for check in asked:
            watches, before = check.watches(), self._watched.get(check.name, ())
            # Most checks want the same for ever, and hand out the same tuple.
            if watches is not before and tuple(watches) != before:
                for watch in before:
                    self._forget(subject_of(watch), check.name)
                for watch in watches:
                    subject = subject_of(watch)
                    self._subjects[subject] = (*self._subjects.get(subject, ()), check.name)
                self._watched[check.name] = tuple(watches)
                changed = True
        return changed

    def _forget(self, subject: str, name: str) -> None:
        left = tuple(each for each in self._subjects.pop(subject, ()) if each != name)
        if left:
            self._subjects[subject] = left

    def all_watches(self) -> list[Watch]:
        """Return everything that should wake this agent."""
        return [watch for watches in self._watched.values() for watch in watches]


def subject_of(watch: Watch) -> str:
    """Return the subject under which a `Wake` reports this watch."""
    if watch.kind == "process":
        return f"process:{watch.pid}:{watch.start_time}"
    return f"{watch.kind}:{watch.name}"
