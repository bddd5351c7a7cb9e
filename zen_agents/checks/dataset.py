"""Whether a data set is what is expected of it: a number of checks that fail, for each severity that its contract knows.

Observations are kept and sent, so what stands in the rows is told to nobody from here: they say how many rows and where
the first are, or by which keys those are known if the contract allows it. `zen-agents data check` shows them to who may
read the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.datasets.contract import Contract, Tell
from zen_agents.datasets.finding import FailingRow, Finding, Outcome, Report
from zen_agents.datasets.history import History
from zen_agents.datasets.job import data_question, report_in, snapshot_question
from zen_agents.datasets.plain import MalformedDatasetError, history_from_plain, history_to_plain
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.model.severity import Severity
from zen_agents.ports.host import HostView
from zen_agents.ports.host_datasets import DataQuestion
from zen_agents.ports.host_files import FileState

#: What starting a worker takes, and waiting for another one to end (seconds).
_SLACK = 600.0
#: So many rows of a check are told, each by so many characters of its keys.
_ROWS, _KEY = 3, 40
#: So many checks are named; the rest is counted.
_SHOWN = 6
#: How far a look is before it has begun.
_UNTOLD: Final = ("", None)


class DatasetCheck(Probe):
    """Observes `data.NAME.SEVERITY` for each severity of its checks: how many of them fail."""

    __slots__ = ("_contract", "_far", "_history", "_memory", "_others", "_severities")

    kind = "dataset"
    summary = "Is this data set what is expected of it?"
    is_long = True

    def __init__(self, contract: Contract, others: Mapping[str, Contract], *, every_seconds: float) -> None:
        super().__init__(
            name=f"data.{contract.name}", target=f"dataset:{contract.name}", every_seconds=every_seconds,
            timeout_seconds=contract.limits.seconds + _SLACK,
        )  # fmt: skip
        self._contract, self._others = contract, others
        self._severities = severities_of(contract)
        self._history = History()
        self._memory: Mapping[str, Any] | None = None
        self._far: tuple[str, float | None] = _UNTOLD

    @property
    def observes(self) -> tuple[str, ...]:
        return tuple(f"{self.name}.{severity}" for severity in self._severities)

    def memory(self) -> Mapping[str, Any] | None:
        """Return what the runs came to, and how the last good one found the data; no row that failed."""
        return self._memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        try:
            self._history, self._memory = history_from_plain(memory), memory or None
        except MalformedDatasetError:
            self._history, self._memory = History(), None

    def how_far(self) -> tuple[str, float | None]:
        """Return the check that is asked, and how much of all is done."""
        return self._far

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Have it looked at; what was found good is kept, where the contract says so."""
        seen = host.file(self._contract.source.path) if self._contract.keep is not None else None
        question = data_question(self._contract, self._others, self._history.good, now.wall.timestamp())
        try:
            report = report_in(await host.check_data(question, self._told))
        except MalformedDatasetError as error:
            raise HostError(f"the look at {self.target} came back with nonsense: {error}") from error
        finally:
            self._far = _UNTOLD
        self._history = self._history.after(report)
        self._memory = history_to_plain(self._history)
        kept = await self._kept(host, question, seen, now) if seen is not None and _is_good(report) else ""
        return tuple(self._observed(report, now, kept))

    def _told(self, doing: str, share: float | None) -> None:
        self._far = doing, share

    async def _kept(self, host: HostView, question: DataQuestion, seen: FileState, now: Instant) -> str:
        """Keep a copy of what was looked at, and return what is to be said of that: why none is made."""
        try:
            await host.keep_snapshot(snapshot_question(self._contract, question, seen, now.wall.timestamp()))
        except HostError as error:
            return f"; no copy of it could be kept: {error}"
        return ""

    def _observed(self, report: Report, now: Instant, kept: str) -> Iterator[Observation]:
        for severity, name in zip(self._severities, self.observes, strict=True):
            found = [each for each in report.findings if each.severity is severity]
            failed = [each for each in found if each.outcome is Outcome.FAILED]
            untold = [each for each in found if each.outcome is Outcome.UNKNOWN]
            said = report.unknown or _named(failed, self._contract.tell) or _named(untold) or _fine(report, found) + kept
            status = Status.PROBLEM if failed else Status.UNKNOWN if untold or report.unknown else Status.OK
            value = None if status is Status.UNKNOWN else float(len(failed))
            yield Observation(name, self.target, status, now, value, said, ",".join(each.check for each in failed))


def severities_of(contract: Contract) -> tuple[Severity, ...]:
    """Return how bad its checks can be, the mildest first."""
    return tuple(sorted({check.severity for check in contract.checks}, key=lambda each: each.rank))


def _is_good(report: Report) -> bool:
    """Tell whether a copy of it may take its place one day: all was told, and nothing worse than a warning failed."""
    bad = (each for each in report.findings if each.severity.rank >= Severity.ERROR.rank)
    return not report.unknown and all(each.outcome in (Outcome.PASSED, Outcome.TOLERATED) for each in bad)


def _named(findings: Sequence[Finding], tell: Tell = "nothing") -> str:
    more = f" and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
    return "; ".join(f"{each.check}: {each.reason}{_where(each, tell)}" for each in findings[:_SHOWN]) + more


def _where(finding: Finding, tell: Tell) -> str:
    """Return which rows the first are, as far as that may be told; "" for nothing."""
    rows = [] if tell == "nothing" else [_row(each, tell) for each in finding.evidence[:_ROWS]]
    said = [each for each in rows if each]
    more = ", ..." if said and finding.count > len(said) else ""
    return f" (row {', '.join(said)}{more})" if said else ""


def _row(row: FailingRow, tell: Tell) -> str:
    number = "" if row.number is None else str(row.number)
    file = f" of {row.file.rpartition('/')[2]}" if row.file and number else ""
    keys = row.keys if tell == "keys" else ()
    return " ".join(filter(None, (f"{number}{file}", *(f"{key.column}={(key.text or '')[:_KEY]}" for key in keys))))


def _fine(report: Report, found: Sequence[Finding]) -> str:
    rows = report.rows or 0
    return f"{len(found)} checks hold over {rows:,} row{'' if rows == 1 else 's'}"
