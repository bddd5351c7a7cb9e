"""From findings to incidents: hold, streaks and flapping.

Ages are measured on the steady timeline alone, so setting the clock changes nothing. UNKNOWN moves nothing: it neither
breaks nor lengthens a streak, and time during which nobody could tell counts neither as bad nor as good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Finding, Status
from zen_agents.rules.rule import FlapLimit, Rule, Window


def refold(
    rule: Rule, incident: Incident | None, window: Window, now: Instant, *, as_of: Instant, new_id: Callable[[], str]
) -> Incident | None:
    """Fold in what was seen lately: what the condition says, or `clear` once it is open; see `fold`.

    How old something is counts at the moment `as_of`, when it was looked, and not once all had answered.
    """
    finding = rule.condition.evaluate(window, as_of)
    is_open = incident is not None and incident.opened_at is not None
    if is_open and rule.clear is not None and finding.status is Status.OK:
        finding = rule.clear.evaluate(window, as_of)
    return fold(rule, incident, finding, now, new_id=new_id)


def has_moved(before: Incident | None, after: Incident) -> bool:
    """Tell whether something is to be decided about it again: its state is another one, or what was seen last."""
    return before is None or before.state is not after.state or before.last_status is not after.last_status


def fold(
    rule: Rule, incident: Incident | None, finding: Finding, now: Instant, *, new_id: Callable[[], str]
) -> Incident | None:
    """Return the incident as it is after this finding, None if there is none (any more).

    A first PROBLEM makes a suspicion, which opens when the rule's hold is over (a certain finding needs none) and vanishes
    at the first OK. An open incident is never closed here: `decide` does that. UNKNOWN without an incident makes a suspicion
    with a bad streak of 0, so that "unknown for too long" can be told. An observation is counted into a streak once.

    Once an incident is open, hand in the finding of `rule.clear`, if there is one, wherever the condition says OK: between
    the two thresholds it then stays as it is.
    """
    if incident is None or not incident.is_live:
        if finding.status is Status.OK:
            return None
        return _suspicion(rule, finding, now, new_id())
    if finding.status is Status.UNKNOWN:
        return _untold(incident, finding, now)
    if finding.status is Status.OK:
        return None if incident.state is IncidentState.SUSPECTED else _good(incident, finding, now)
    return _bad(rule, incident, finding, now)


def is_flapping(opened_times: Sequence[float], limit: FlapLimit, now: Instant) -> bool:
    """Tell whether there were more openings (steady times, this one included) within the window than are believed."""
    return sum(1 for at in opened_times if at >= now.steady - limit.within_seconds) > limit.opens_after


def _suspicion(rule: Rule, finding: Finding, now: Instant, id: str) -> Incident:
    untold = finding.status is Status.UNKNOWN
    opens = not untold and _is_held(rule, finding, 1, 0.0)
    return Incident(
        id=id,
        key=rule.key,
        agent=rule.agent,
        rule=rule.name,
        target=rule.target,
        severity=rule.severity,
        state=IncidentState.OPEN if opens else IncidentState.SUSPECTED,
        began_at=now,
        opened_at=now if opens else None,
        changed_at=now,
        last_status=finding.status,
        detail=finding.detail,
        value=finding.value,
        fingerprint=finding.fingerprint,
        bad_streak=0 if untold else 1,
        counted_at=None if untold else finding.at.steady,
        unknown_since=now.steady if untold else None,
    )


def _untold(incident: Incident, finding: Finding, now: Instant) -> Incident:
    if incident.unknown_since is not None:
        return incident if incident.detail == finding.detail else replace(incident, detail=finding.detail)
    return replace(
        incident, last_status=Status.UNKNOWN, unknown_since=now.steady, changed_at=now, detail=finding.detail
    )  # fmt: skip


def _good(incident: Incident, finding: Finding, now: Instant) -> Incident:
    counts = _is_new(incident, finding) and not _is_settling(incident, finding)
    since = incident.good_since
    if since is not None:
        since += _untold_seconds(incident, now)
    elif counts:
        since = now.steady
    return replace(
        incident,
        last_status=Status.OK,
        changed_at=now if incident.last_status is not Status.OK else incident.changed_at,
        detail=finding.detail,
        value=finding.value,
        unknown_since=None,
        bad_streak=0 if counts else incident.bad_streak,
        good_streak=incident.good_streak + counts,
        good_since=since,
        counted_at=finding.at.steady if counts else incident.counted_at,
    )


def _bad(rule: Rule, incident: Incident, finding: Finding, now: Instant) -> Incident:
    counts = _is_new(incident, finding) and not _is_settling(incident, finding)
    began_at = incident.began_at
    if incident.opened_at is None:
        began_at = now if incident.bad_streak == 0 else began_at.after(_untold_seconds(incident, now))
    streak = incident.bad_streak + counts
    opens = incident.opened_at is None and _is_held(rule, finding, streak, now.steady - began_at.steady)
    return replace(
        incident,
        severity=rule.severity,
        state=IncidentState.OPEN if opens else incident.state,
        began_at=began_at,
        opened_at=now if opens else incident.opened_at,
        last_status=Status.PROBLEM,
        changed_at=now if opens or incident.last_status is not Status.PROBLEM else incident.changed_at,
        detail=finding.detail,
        value=finding.value,
        fingerprint=finding.fingerprint,
        unknown_since=None,
        bad_streak=streak,
        good_streak=0,
        good_since=None,
        counted_at=finding.at.steady if counts else incident.counted_at,
        relapsed=incident.relapsed or (incident.state is IncidentState.VERIFYING and finding.certain and bool(counts)),
    )


def _is_held(rule: Rule, finding: Finding, bad_streak: int, lasted_seconds: float) -> bool:
    if finding.certain:
        return True
    return bad_streak >= max(1, rule.hold.fail_after) and lasted_seconds >= rule.hold.held_for_seconds


def _is_new(incident: Incident, finding: Finding) -> bool:
    return incident.counted_at is None or finding.at.steady > incident.counted_at


def _is_settling(incident: Incident, finding: Finding) -> bool:
    """Tell whether this was seen before the effect of the running action could be judged."""
    return incident.state is IncidentState.VERIFYING and finding.at.steady < incident.settle_until


def _untold_seconds(incident: Incident, now: Instant) -> float:
    return 0.0 if incident.unknown_since is None else now.steady - incident.unknown_since
