"""Where a source's lines say that time is lost or requests fail: limits of routes, slow statements, the error budget."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.formats.base import Format, Found
from zen_agents.logs.latency.error_budget import ErrorBudget
from zen_agents.logs.latency.percentiles import Latency, Percentiles
from zen_agents.logs.latency.requests import request_of
from zen_agents.logs.latency.slow_queries import MySqlSlowLog, SlowQuery, postgres_query
from zen_agents.logs.memory import checked_number, checked_rows
from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.folding import FOLD
from zen_agents.logs.watching.told import MOST_CHARACTERS, MOST_NAMED, Told

#: So many slow statements are kept, the last ones; how often there were more is not counted further.
_MOST_SLOW: Final = 1000
_NOTHING: Final[Found] = (None, {})
#: A line that is older than the longest window of the error budget (seconds) tells nothing of now.
_OLDEST: Final = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest that a share of an operation's requests may take (seconds); None where nothing is asked."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None

    def broken_by(self, latency: Latency) -> Iterator[tuple[str, float, float]]:
        """Yield each limit that is broken: its name, how long it was, and the limit."""
        for name in ("p50", "p95", "p99"):
            limit, took = getattr(self, name), getattr(latency, name)
            if limit is not None and took > limit:
                yield name, took, limit


@dataclass(frozen=True, slots=True)
class LatencyRule:
    """What is asked of a source. Times are seconds."""

    window: float
    #: Of fewer requests within the window nothing is said.
    least: int
    limits: Limits
    #: Instead of `limits`, of the operations of these names.
    routes: Mapping[str, Limits]
    #: A statement that takes longer is slow; None: not asked.
    slow_query: float | None = None
    #: The share of requests that is to succeed; None: not asked.
    objective: float | None = None
    took_key: str = ""
    operation_key: str = ""


class LatencyStudy:
    """Follows what was done, how long it took and what of it failed; memory is bounded."""

    def __init__(self, rule: LatencyRule, form: Format, zone: tzinfo | None, now: float, saved: Mapping[str, Any]) -> None:
        """Go on from what `saved` gave; what that cannot be is left out."""
        self._rule, self._form, self._zone = rule, form, zone
        self._took = Percentiles.restored(_mapping(saved.get("took")), rule.window)
        self._asks_requests = bool(rule.objective or rule.routes or rule.limits != Limits())
        self._budget: ErrorBudget | None = None
        if rule.objective is not None:
            self._budget = ErrorBudget.restored(rule.objective, now, _mapping(saved.get("budget")))
        self._mysql = MySqlSlowLog()
        #: When each was read, how long it took, and its form.
        self._slow: deque[tuple[float, float, str]] = deque(maxlen=_MOST_SLOW)
        for at, seconds, form_of in checked_rows(saved.get("slow"), width=3)[-_MOST_SLOW:]:
            began, took = checked_number(at), checked_number(seconds)
            if began is not None and took is not None and isinstance(form_of, str):
                self._slow.append((began, took, form_of[:MOST_CHARACTERS]))

    def feed(self, lines: bytes, now: float) -> None:
        """Take whole lines that were read now."""
        texts = lines.decode("utf-8", "replace").split("\n")
        if self._rule.slow_query is not None:
            for text in texts:
                self._take_statement(text.replace(FOLD, "\n"), self._rule.slow_query, now)
        if self._asks_requests:
            self._take_requests((text.partition(FOLD)[0] for text in texts if text), Stamps(now, self._zone))

    def told(self, now: float, *, is_behind: bool) -> Sequence[Told]:
        """Return what is slower than it may be, which statements were slow, and whether too much fails."""
        del is_behind
        return self._latency(now), self._slow_queries(now), self._error_budget(now)

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        budget = {} if self._budget is None else self._budget.saved()
        return {"took": self._took.saved(), "budget": budget, "slow": [list(each) for each in self._slow]}

    def _take_statement(self, record: str, limit: float, now: float) -> None:
        for query in (*map(self._mysql.line, record.split("\n")), postgres_query(record)):
            if isinstance(query, SlowQuery) and query.seconds > limit:
                self._slow.append((now, query.seconds, query.form))

    def _take_requests(self, texts: Iterable[str], stamps: Stamps) -> None:
        """Count requests; those of one time and operation at once, for that costs as much as of one line."""
        rule, now, find, slice_of = self._rule, stamps.now, self._form.find, self._took.slice_of
        took: dict[tuple[int, str], list[float]] = {}
        results: dict[float, list[int]] = {}
        for text in texts:
            at, fields = find(text, stamps) or _NOTHING
            request = request_of(fields, rule.took_key, rule.operation_key)
            if request is None:
                continue
            at = now if at is None or at > now else at
            if at > now - _OLDEST:
                counts = results.setdefault(at, [0, 0])
                counts[0] += 1
                counts[1] += request.failed
            if request.operation and request.seconds is not None and at > now - rule.window:
                took.setdefault((slice_of(at), request.operation), []).append(request.seconds)
        for (number, operation), durations in took.items():
            self._took.add_all(operation, durations, number)
        if self._budget is not None:
            for at, (requests, errors) in results.items():
                self._budget.add(requests, errors, at)

    def _latency(self, now: float) -> Told:
        rule, broken = self._rule, list[str]()
        latencies = [each for each in self._took.latencies(now) if each.count >= rule.least]
        slow = 0
        for each in latencies:
            limits = rule.routes.get(each.operation, rule.limits)
            found = [f"{name} {_took(took)}, {_took(limit)} at most" for name, took, limit in limits.broken_by(each)]
            slow += bool(found)
            broken += [f"{each.operation}: {'; '.join(found)} ({each.count} requests)"] if found else []
        if not broken:
            return _quiet(f"{len(latencies)} operations are as fast as they have to be")
        more = f" (and {slow - 1} more)" if slow > 1 else ""
        return Told(is_raised=True, value=float(slow), detail=f"{broken[0]}{more}", facts=_facts("operation", broken))

    def _slow_queries(self, now: float) -> Told:
        while self._slow and now - self._slow[0][0] > self._rule.window:
            self._slow.popleft()
        if not self._slow:
            return _quiet("no slow statement")
        forms: dict[str, list[float]] = {}
        for _, seconds, form in self._slow:
            forms.setdefault(form, []).append(seconds)
        ordered = sorted(forms.items(), key=lambda each: -sum(each[1]))
        lines = [f"{len(took)} times, at most {_took(max(took))}: {form}" for form, took in ordered[:MOST_NAMED]]
        detail = f"{len(self._slow)} slow statements; {lines[0]}"
        return Told(is_raised=True, value=float(len(self._slow)), detail=detail, facts=_facts("statement", lines))

    def _error_budget(self, now: float) -> Told:
        burns = [] if self._budget is None else self._budget.burns(now)
        if not burns:
            return _quiet("errors stay within their budget")
        worst = burns[0]
        window = f"{worst.pair.long_minutes // 60} h"
        detail = (
            f"{worst.errors} of {worst.requests} requests failed within {window}, and it goes on: "
            f"{worst.long_rate:.1f} times what the objective allows"
        )
        return Told(is_raised=True, value=worst.long_rate, detail=detail, facts={})


def _quiet(detail: str) -> Told:
    return Told(is_raised=False, value=0.0, detail=detail, facts={})


def _facts(name: str, lines: Sequence[str]) -> dict[str, str]:
    return {f"{name} {number}": line[:MOST_CHARACTERS] for number, line in enumerate(lines[:MOST_NAMED], start=1)}


def _took(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
