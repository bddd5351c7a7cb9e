"""Asks everything of a data set, in as few passes as can tell it, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from zen_agents.datasets.asking import Asker, Surroundings
from zen_agents.datasets.contract import Check, Contract
from zen_agents.datasets.evidence import failing_rows
from zen_agents.datasets.finding import ColumnProfile, FailingRow, Finding, Outcome, Part, Profile, Report
from zen_agents.datasets.measure import Answered, Ask, Measured, Rows
from zen_agents.datasets.questions import Holds, NoDuplicates, Readable, columns_of
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql
from zen_agents.datasets.table import Backend, BackendError, Table
from zen_agents.datasets.wide_rows import Keeps, groups_of, repeated

#: Is told what is done now: words, how many steps of how many are done, and of how many this one takes the time.
Told = Callable[[str, int, int, int], None]
#: What going through a text once takes, beside all that is asked behind it.
_PASS: Final = 9


def check(contract: Contract, table: Table, backend: Backend, around: Surroundings, told: Told) -> Report:
    """Return what came of all checks; what the database does not answer is unknown, with why."""
    run = _Run(contract, table, backend, around, told)
    try:
        findings = run.findings()
    except BackendError as error:
        return unreadable(contract, str(error), around.now, is_damage=error.is_damage)
    profile = Profile(run.rows, tuple(run.profiles.values()), run.parts)
    return Report(
        contract.name, contract.source.place, around.now, run.rows, tuple(findings), passes=run.passes, profile=profile
    )


def unreadable(contract: Contract, why: str, now: float, *, is_damage: bool) -> Report:
    """Return the report of a data set that could not be read: it is damaged, or nobody could tell."""

    def finding(each: Check) -> Finding:
        fails = is_damage and isinstance(each.asks, Readable)
        outcome, reason = (Outcome.FAILED, why) if fails else (Outcome.UNKNOWN, "it could not be read")
        return _finding(each, outcome, Measured(int(fails), 1, None, reason))

    return Report(
        contract.name, contract.source.place, now, None, tuple(map(finding, contract.checks)), "" if is_damage else why
    )


class _Run:
    def __init__(self, contract: Contract, table: Table, backend: Backend, around: Surroundings, told: Told) -> None:
        self._contract, self._table, self._backend, self._around, self._told = contract, table, backend, around, told
        self.rows, self.passes = 0, 0
        self.profiles: dict[str, ColumnProfile] = {}
        self.parts: tuple[Part, ...] = ()

    def findings(self) -> Sequence[Finding]:
        checks, backend, groups = self._contract.checks, self._backend, groups_of(self._table, self._contract.limits)
        if not isinstance(backend, Keeps) or len(groups) < 2:
            found = [*self._at_once(checks)]
        else:
            whole = [each for each in checks if isinstance(each.asks, NoDuplicates)]
            found = [*self._at_once([each for each in checks if each not in whole])]
            found += [self._by_groups(each, groups, backend) for each in whole]
        order = [each.name for each in self._contract.checks]
        return sorted(found, key=lambda finding: order.index(finding.check))

    def _at_once(self, checks: Sequence[Check]) -> Sequence[Finding]:
        """Return what came of checks in one pass, or of some by themselves.

        A condition that somebody wrote may fail as a whole, on one value, and whole rows may need more memory than there is;
        the others are told all the same.
        """
        risky = [each for each in checks if isinstance(each.asks, (Holds, NoDuplicates))]
        try:
            return list(self._asked(checks))
        except BackendError:
            if not risky:
                raise
            return [*self._asked([each for each in checks if each not in risky]), *map(self._alone, risky)]

    def _alone(self, risky: Check) -> Finding:
        try:
            return next(self._asked([risky]))
        except BackendError as error:
            return _finding(risky, Outcome.UNKNOWN, Measured(0, 1, None, str(error)))

    def _by_groups(self, check: Check, groups: Sequence[Sequence[str]], backend: Keeps) -> Finding:
        """Return what came of comparing whole rows that are too wide for one pass."""
        try:
            measured = repeated(self._table, groups, backend, lambda done: self._told(check.name, done, len(groups), 1))
        except BackendError as error:
            if error.is_damage:
                raise
            return _finding(check, Outcome.UNKNOWN, Measured(0, 1, None, str(error)))
        self.passes += len(groups)
        return _finding(check, _outcome(check, measured), measured)

    def _asked(self, checks: Sequence[Check]) -> Iterator[Finding]:
        asker = Asker(Scope(self._contract, self._table, self._backend.dialect), self._around)
        asks = [asker.ask(each) for each in checks]
        first = _PASS * len(asks) if self._table.keeps_facts else 1
        self._told("all rows", 0, first + len(asks), first)
        (numbers,) = self._answer(asker.main.query())
        self.rows = int(numbers[0])
        for at, ask in enumerate(asks):
            self._told(ask.check.name, first + at, first + len(asks), 1)
            yield self._finding(ask, Answered(numbers), asker.scope)

    def _finding(self, ask: Ask, told: Answered, scope: Scope) -> Finding:
        if ask.unknown:
            return _finding(ask.check, Outcome.UNKNOWN, Measured(0, 1, None, ask.unknown))
        try:
            measured, told = self._measured(ask, told)
            outcome = _outcome(ask.check, measured)
            if outcome is Outcome.PASSED:
                return _finding(ask.check, outcome, measured)
            rows = failing_rows(ask, told, measured.failed, scope, self._answer)
            return _finding(ask.check, outcome, measured, rows)
        except BackendError as error:
            if error.is_damage:  # then no other answer is worth anything
                raise
            return _finding(ask.check, Outcome.UNKNOWN, Measured(0, 1, None, str(error)))

    def _measured(self, ask: Ask, told: Answered) -> tuple[Measured, Answered]:
        measured = ask.measure(told) if ask.measure is not None else None
        if ask.exactly is not None and ask.read is not None and (measured is None or measured.failed):
            told = Answered(told.numbers, self._answer(ask.exactly))
            measured = ask.read(told)
        if measured is None:
            raise TypeError(f"nothing tells of {ask.check.name}")
        if ask.profile is not None:
            self._remember(ask.profile(told))
        if ask.parts is not None:
            self.parts = ask.parts(told)
        return measured, told

    def _remember(self, new: ColumnProfile) -> None:
        old = self.profiles.get(new.column, new)
        self.profiles[new.column] = ColumnProfile(new.column, new.quantiles or old.quantiles, new.shares or old.shares)

    def _answer(self, query: Sql) -> Rows:
        self.passes += 1
        return self._backend.rows(query)


def _outcome(check: Check, measured: Measured) -> Outcome:
    if not measured.failed:
        return Outcome.PASSED
    return Outcome.TOLERATED if check.tolerance.allows(measured.failed, measured.total) else Outcome.FAILED


def _finding(check: Check, outcome: Outcome, measured: Measured, evidence: tuple[FailingRow, ...] = ()) -> Finding:
    reason = measured.reason or (f"{measured.failed:,} of {measured.total:,} rows" if measured.failed else "")
    return Finding(
        check.name, check.asks.kind, columns_of(check.asks), outcome, check.severity, measured.failed, measured.total,
        evidence, reason, measured.value,
    )  # fmt: skip
