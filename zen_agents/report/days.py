"""What came of incidents day by day, and in which nights somebody was woken; by the clock of this host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from zen_agents.model.incident import Incident
from zen_agents.report.recorded import Recorded, Told

#: Hours (local) at which people sleep.
NIGHT = (22, 7)


def ended_by(incident: Incident) -> str:
    """Return who ended an incident: `engine`, `itself`, `configuration`, `person`; `open` if nobody did."""
    if incident.is_live:
        return "open"
    return incident.resolved_by if incident.resolved_by in ("engine", "itself", "configuration") else "person"


def days_of(recorded: Recorded) -> Mapping[str, Mapping[str, int]]:
    """Return how many incidents of each day ended how; see `Report.days`."""
    day, last = recorded.since.astimezone().date(), recorded.until.astimezone().date()
    days: dict[str, Counter[str]] = {}
    while day <= last:
        days[day.isoformat()] = Counter()
        day += timedelta(days=1)
    for one in recorded.incidents:
        if one.opened_at is not None:
            days.setdefault(one.opened_at.wall.astimezone().date().isoformat(), Counter())[ended_by(one)] += 1
    return days


def disturbed_nights(told: Iterable[Told]) -> set[str]:
    """Return the nights in which somebody was paged, or told of something critical, each by the date of its evening."""
    return {night for one in told if _disturbs(one) and (night := _night(one)) is not None}


def _disturbs(told: Told) -> bool:
    return told.channel == "pagerduty" or told.severity == "critical"


def _night(told: Told) -> str | None:
    """Return the night, by the date of its evening; None by day."""
    at, (begins, ends) = datetime.fromtimestamp(told.at, UTC).astimezone(), NIGHT
    if ends <= at.hour < begins:
        return None
    return (at - timedelta(days=1 if at.hour < ends else 0)).date().isoformat()
