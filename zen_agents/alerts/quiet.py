"""When a message has to wait: quiet hours and no_alerts windows. Checks never wait, and neither does what is urgent."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import inf

from zen_agents.alerts.context import zone
from zen_agents.alerts.policy import AlertPolicy, NoAlertsWindow, QuietHours
from zen_agents.clock import Instant
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity

#: As the configuration writes them, in the order of `date.weekday`.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: Kinds that nobody is woken by unasked: they come at their own time.
_NEVER_WAIT = frozenset({MessageKind.TEST, MessageKind.DIGEST, MessageKind.CHANGE})


def held_until(message: Message, policy: AlertPolicy, at: Instant, *, muted_until: float = -inf) -> float:
    """Return the steady time before which a message ready at `at` is not sent; `at` itself if nothing holds it.

    Urgent messages are never held. Quiet hours do not hold what `page_only` names, nor ever a critical one; a no_alerts
    window holds everything that is not urgent, and so does one that a person started (`muted_until`, steady).

    Ask again when the time has come: somebody may have set the clock, ended the window or changed the configuration.
    """
    if message.urgent or message.kind in _NEVER_WAIT:
        return at.steady
    ends = [window_end(window, at.wall) for window in policy.no_alerts]
    quiet = policy.quiet_hours
    if quiet and message.severity is not Severity.CRITICAL and message.severity not in quiet.page_only:
        ends.append(quiet_end(quiet, at.wall))
    latest = max((end for end in ends if end is not None), default=at.wall)
    return max(muted_until, at.steady + max(0.0, (latest - at.wall).total_seconds()))


def quiet_end(quiet: QuietHours, moment: datetime) -> datetime | None:
    """Return when the quiet hours that `moment` is in end, None outside of them. The end itself is not quiet."""
    local_zone = zone(quiet.timezone)
    today = moment.astimezone(local_zone).date()
    for day in (today - timedelta(days=1), today):
        begins = _at(day, quiet.start, local_zone)
        ends = _at(day if quiet.end > quiet.start else day + timedelta(days=1), quiet.end, local_zone)
        if quiet.start != quiet.end and begins <= moment < ends:
            return ends
    return None


def window_end(window: NoAlertsWindow, moment: datetime) -> datetime | None:
    """Return when the window that `moment` is in ends, None outside of it."""
    local_zone = zone(window.timezone)
    today = moment.astimezone(local_zone).date()
    back = int(window.duration_seconds // 86400) + 1
    found = []
    for days in range(min(back, 7) + 1):
        day = today - timedelta(days=days)
        if window.days and WEEKDAYS[day.weekday()] not in window.days:
            continue
        begins = _at(day, window.start, local_zone)
        ends = begins.astimezone(UTC) + timedelta(seconds=window.duration_seconds)
        if begins <= moment < ends:
            found.append(ends)
    return max(found, default=None)


def _at(day: date, clock_time: time, local_zone: tzinfo) -> datetime:
    """Return that time on that day as an aware UTC moment; of an hour that comes twice, the first."""
    return datetime.combine(day, clock_time, tzinfo=local_zone).astimezone(UTC)
