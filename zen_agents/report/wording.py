"""How the figures of the report are said; the same words in every form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from zen_agents.alerts.plain_text import one_line
from zen_agents.model.duration import duration
from zen_agents.report.figures import Debt, Report, RuleProof, Spread
from zen_agents.report.objectives import Budget, Objective
from zen_agents.report.rate import Rate

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def brief_rate(value: Rate) -> str:
    """Return a share and of how many, where there is little room."""
    return "none" if value.share is None else f"{100 * value.share:.0f} % of {value.of}"


def rate(value: Rate) -> str:
    """Return a share with its counts and its 95 % interval; that there are too few to judge by is said."""
    if value.share is None:
        return "none"
    low, high = value.interval
    few = ", few" if value.is_few else ""
    return f"{100 * value.share:.0f} % ({value.times} of {value.of}; {100 * low:.0f} to {100 * high:.0f} %{few})"


def spread(value: Spread) -> str:
    """Return median and 95th percentile."""
    return "none" if value.median is None or value.p95 is None else f"{lasted(value.median)}, p95 {lasted(value.p95)}"


def lasted(seconds: float) -> str:
    """Return a duration; below a minute with its tenths."""
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def counts(found: Mapping[str, int]) -> str:
    """Return words with how often each came."""
    return ", ".join(f"{word} {times}" for word, times in found.items()) or "none"


def headline(report: Report) -> Sequence[tuple[str, str]]:
    """Return what stands first: names and values."""
    return (
        ("incidents", f"{report.incidents}, still open {report.open}"),
        ("fixed without a person", rate(report.fixed_without_person)),
        ("lasted (median)", spread(report.lasted)),
        ("actions by outcome", counts(report.outcomes)),
        ("messages by channel", counts(report.told)),
        ("nights disturbed", str(report.nights)),
        ("not done, and why", counts(dict(list(report.skipped.items())[:8]))),
    )


def tables(report: Report, share: Callable[[Rate], str] = rate) -> Sequence[Table]:
    """Return every table: title, heads, rows; `share` says rates. Untrusted names in it are printable, and on one line."""
    return tuple(
        (title, heads, [[one_line(cell) for cell in row] for row in rows]) for title, heads, rows in _tables(report, share)
    )


def _tables(report: Report, share: Callable[[Rate], str]) -> Sequence[Table]:
    return (
        (
            "Objectives",
            ("objective", "rule", "target", "met", "measured", "error budget"),
            [_objective(one) for one in report.objectives],
        ),
        (
            "Proof of fix, by rule",
            (
                "rule", "incidents", "verified", "again within a day", "cleared in 1 h, acted on",
                "cleared in 1 h, nobody acted", "repaired in",
            ),
            [_rule(one, share) for one in report.rules],
        ),
        (
            "Healing debt: repaired again and again, mend the cause",
            ("rule", "target", "repairs", "first", "last", "broken in all", "by"),
            [_debt(one) for one in report.debts],
        ),
        (
            "Who did what",
            ("person", "did", "actions run for them"),
            [(one.name, counts(one.did), str(one.actions)) for one in report.people],
        ),
    )  # fmt: skip


def _objective(one: Objective) -> Sequence[str]:
    met = {True: "yes", False: "NO", None: "too few to tell"}[one.met]
    return one.name, one.rule or "all", one.target, met, one.value, _budget(one.budget)


def _budget(budget: Budget | None) -> str:
    return "none" if budget is None else f"{budget.spent} of {budget.allowed:.1f} spent"


def _rule(one: RuleProof, share: Callable[[Rate], str]) -> Sequence[str]:
    return (
        one.rule, str(one.incidents), share(one.verified), share(one.recurred), share(one.cleared_acted),
        share(one.cleared_alone), spread(one.repaired),
    )  # fmt: skip


def _debt(one: Debt) -> Sequence[str]:
    first, last = (f"{at.astimezone():%Y-%m-%d %H:%M}" for at in (one.first, one.last))
    return one.rule, one.target, str(one.repairs), first, last, lasted(one.broken_seconds), ", ".join(one.actions) or "-"


def title(report: Report, host: str) -> str:
    """Return what it is about."""
    return (
        f"zen-agents on {host}: {report.since.astimezone():%Y-%m-%d %H:%M} to {report.until.astimezone():%Y-%m-%d %H:%M %Z}"
    )


CUT = "There was more than is read at once; the oldest is left out."
